/** Settings come from the environment and are checked at once, so that a wrong installation is put right in one go. */
import { CadreError } from '@cadre/contracts';
import { z } from 'zod';
import { parseCrashAt } from './crash-points.js';

/** sysexits.h EX_CONFIG: supervisors should not restart a service that ends with it. */
export const CONFIG_EXIT_CODE = 78;

/** A whole number in an environment variable. */
export function envInt(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error });
}

/** `1`, `true`, `yes`, `on` or `0`, `false`, `no`, `off`. */
export function envFlag() {
  return z.stringbool({ error: 'must be 1 or 0' });
}

/** An absolute http or https URL. */
export function envUrl() {
  return z.url({ protocol: /^https?$/, error: 'must be a URL such as http://127.0.0.1:8080' });
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** What every service reads. Apps extend it: `BaseConfig.extend({...})`. */
export const BaseConfig = z.object({
  NATS_URL: z
    .string()
    .regex(/^(nats|tls|ws|wss):\/\/\S+$/, 'must be a NATS URL such as nats://127.0.0.1:4222')
    .default('nats://127.0.0.1:4222'),
  /** How long to wait for NATS at the start, in milliseconds. */
  NATS_WAIT_MS: envInt(0, 600_000).default(10_000),
  /** 0: any free port. */
  HTTP_PORT: envInt(0, 65_535).default(0),
  HTTP_HOST: z.string().min(1).default('127.0.0.1'),
  LOG_LEVEL: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` }).default('info'),
  /** Lines for people instead of JSON. */
  LOG_PRETTY: envFlag().default(false),
  /** Number of shards of the log; the same for all services of an installation. */
  CADRE_SHARDS: envInt(1, 100).default(1),
  /** How safe what the broker acknowledges must be; the same for all services. See ADR 12. */
  CADRE_PROFILE: z.enum(['durable', 'fast'], { error: 'must be durable or fast' }).default('durable'),
  /** Copies of each stream; the same for all services. 0: as the profile says; a started service knows the number. */
  CADRE_REPLICAS: envInt(0, 5).default(0),
  /** Monitoring addresses of all servers, separated by commas, where the NATS account may not ask the servers themselves. */
  CADRE_NATS_MONITOR: z
    .string()
    .transform((list) => list.split(',').map((address) => address.trim()))
    .pipe(z.array(envUrl()))
    .default([]),
  /** `accept`: `durable` takes a broker on trust that does not tell how it keeps its data. */
  CADRE_UNVERIFIED_BROKER: z.enum(['refuse', 'accept'], { error: 'must be refuse or accept' }).default('refuse'),
  /** Name of this process among its kind; made up when missing. */
  CADRE_INSTANCE_ID: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,80}$/, 'must hold letters, digits, - and _ only, at most 80')
    .optional(),
  /** When set, `{"url","pid"}` is written there once the service listens. */
  CADRE_READY_FILE: z.string().min(1).optional(),
  /** How long a graceful stop may take, in milliseconds. */
  SHUTDOWN_MS: envInt(0, 600_000).default(10_000),
  /** For tests: the process kills itself at this point (`CRASH_POINTS`), `<point>` or `<point>:<n>` for the n-th passing. */
  CADRE_CRASH_AT: z
    .string()
    .refine((text) => parseCrashAt(text) !== undefined, 'must name a crash point, as orchestrator-decided or orchestrator-decided:3')
    .optional(),
  /** When set, traces are exported there. */
  OTEL_EXPORTER_OTLP_ENDPOINT: envUrl().optional(),
});
export type BaseConfig = z.infer<typeof BaseConfig>;

/**
 * Reads settings; empty variables count as not set.
 * Error: `CadreError` `config-invalid`, its message naming every wrong variable, its value (unless secret) and what is wrong.
 */
export function loadConfig<C>(service: string, schema: z.ZodType<C>, env: NodeJS.ProcessEnv): C {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = faults(parsed.error, given);
  const count = lines.length === 1 ? '1 setting is' : `${lines.length} settings are`;
  throw new CadreError('config-invalid', `${service} cannot start: ${count} wrong.\n${lines.map((line) => `  ${line}`).join('\n')}`, {
    remedy: 'set these environment variables and start again',
  });
}

/** One line for each variable. */
function faults(error: z.ZodError, given: Record<string, string | undefined>): string[] {
  const byName = new Map<string, string[]>();
  for (const issue of error.issues) {
    const name = String(issue.path[0] ?? '(all settings)'); // a list's faulty entry is told as the whole list
    byName.set(name, [...(byName.get(name) ?? []), issue.message]);
  }
  return [...byName].map(([name, messages]) => `${name}${shown(name, given[name])}: ${[...new Set(messages)].join('; ')}`);
}

function shown(name: string, value: string | undefined): string {
  if (value === undefined) return ' (not set)';
  if (/KEY|SECRET|PASSWORD|TOKEN|_URL$/.test(name) && /KEY|SECRET|PASSWORD|TOKEN|@/.test(`${name}${value}`)) return ' (value hidden)';
  return ` (is ${JSON.stringify(value.slice(0, 80))})`;
}
