/** How the services of a local system are started. */
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CadreError } from '@cadre/contracts';
import { findNatsServer, startNatsServer, storageFault, type RunningNatsServer } from '@cadre/nats-server';
import type { Ports } from './ports.js';
import { startNodeProcess } from './node-process.js';
import type { ProcessSpec } from './running-process.js';
import { LOCAL_SERVICES, type LocalService } from './service-list.js';

const LOOK_EVERY_MS = 2000;
/** With less the disk counts as full. */
const ROOM_BYTES = 64 * 1024 * 1024;

/** The folder that holds `apps/`. */
export const installationRoot = resolve(fileURLToPath(import.meta.url), '../../../..');

export interface LocalSystemOptions {
  /** Folder of all data and logs. */
  dataDir: string;
  ports: Ports;
  env: NodeJS.ProcessEnv;
  /** Default: this installation. */
  root?: string;
  log?: (line: string) => void;
  /** Default: each of `LOCAL_SERVICES` once. One more of a kind gets a name and an `app`. */
  services?: readonly LocalService[];
  /** Settings of one service beside all others, asked for at each start of it, which waits for them. */
  envOf?: (name: string) => Record<string, string> | Promise<Record<string, string>>;
  /** A broker that runs already, one server or more; none is started then. */
  natsUrl?: string;
  /** Longest wait before a restart, for tests that restart a lot; default as of the supervisor. */
  longestBackoffMs?: number;
}

/** Whether a model server of the user's own is set, so that ours is not needed. */
export function hasOwnModel(env: NodeJS.ProcessEnv): boolean {
  return (env['OPENAI_BASE_URL'] ?? '') !== '';
}

/** @throws CadreError `not-built` when a service has not been compiled */
export function localSystem(options: LocalSystemOptions): ProcessSpec[] {
  const root = options.root ?? installationRoot;
  const { services: all = LOCAL_SERVICES } = options;
  const services = all.filter(({ name }) => name !== 'model-sim' || !hasOwnModel(options.env));
  const missing = services.filter((service) => !existsSync(mainOf(root, service))).map(({ name }) => name);
  if (missing.length > 0) {
    throw new CadreError('not-built', `These services are not built: ${missing.join(', ')}.`, {
      remedy: `Run \`npm ci && npm run build\` in ${root}.`,
    });
  }
  const broker = options.natsUrl === undefined ? [natsSpec(options)] : [];
  return [...broker, ...services.map((service) => serviceSpec(service, root, options))];
}

/** The file that is run for a service. */
export function mainOf(root: string, { name, app = name, script }: LocalService): string {
  return script === undefined ? join(root, 'dist', app, 'main.js') : join(root, 'apps', app, script);
}

function natsSpec({ dataDir, ports, env, log }: LocalSystemOptions): ProcessSpec {
  let binary: string | undefined;
  return {
    name: 'nats-server',
    stage: 0,
    launch: async () => {
      binary ??= (await findNatsServer({ env, ...(log === undefined ? {} : { log }) })).path;
      const server = await startNatsServer({
        binary,
        dataDir: join(dataDir, 'nats'),
        port: ports['nats-server']!,
        logFile: join(dataDir, 'logs/nats-server.log'),
        syncAlways: env['CADRE_PROFILE'] !== 'fast',
        timeoutMs: 60_000,
      });
      restartWhenStuck(server, log);
      return { pid: server.pid, exited: server.exited, stop: () => server.stop(), kill: () => void server.kill() };
    },
  };
}

/**
 * A broker that met a full disk stays stuck when there is room again, until it is started anew. Not earlier: the room that it finds at its
 * start is what it allows itself from then on.
 */
function restartWhenStuck(server: RunningNatsServer, log: LocalSystemOptions['log']): void {
  const look = async (): Promise<void> => {
    const fault = await storageFault(server.host, server.port);
    if (fault === undefined || (await freeBytes(server.dataDir)) < ROOM_BYTES) return;
    log?.(`the broker cannot write and is started again: ${fault}`);
    await server.kill();
  };
  const looking = setInterval(() => void look().catch(() => undefined), LOOK_EVERY_MS);
  looking.unref();
  void server.exited.then(() => clearInterval(looking));
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

function serviceSpec(service: LocalService, root: string, options: LocalSystemOptions): ProcessSpec {
  const { dataDir, ports, env, envOf, natsUrl } = options;
  const { name, app = name, stopStage } = service;
  const specialty = specialtyOf(service);
  const fixed = {
    ...env,
    ...serviceEnvironment(specialty === undefined ? app : `worker-${specialty}`, dataDir, ports, env),
    HTTP_PORT: String(ports[name] ?? 0),
    ...(natsUrl === undefined ? {} : { NATS_URL: natsUrl }),
  };
  return {
    name,
    stage: 1,
    stopStage,
    launch: async (signal) =>
      startNodeProcess(
        {
          name,
          script: mainOf(root, service),
          logFile: join(dataDir, 'logs', `${name}.log`),
          readyFile: join(dataDir, 'run', `${name}.json`),
          env: { ...fixed, ...(await envOf?.(name)) },
        },
        signal,
      ),
  };
}

/** Of a worker; undefined for other services. */
export function specialtyOf({ name, app = name, specialty }: LocalService): string | undefined {
  return specialty ?? (app.startsWith('worker-') ? app.slice('worker-'.length) : undefined);
}

/** What the supervisor decides for a service. All else of the user's environment is passed on. */
export function serviceEnvironment(name: string, dataDir: string, ports: Ports, env: NodeJS.ProcessEnv): Record<string, string> {
  const builtIn = { OPENAI_BASE_URL: `http://127.0.0.1:${ports['model-sim']}/v1`, OPENAI_API_KEY: 'local', CADRE_MODEL: 'cadre-sim-1' };
  const worker = { CADRE_WORK_DIR: join(dataDir, 'work'), ...(hasOwnModel(env) ? {} : builtIn) };
  return {
    NATS_URL: `nats://127.0.0.1:${ports['nats-server']}`,
    HTTP_HOST: '127.0.0.1',
    // Less than the time after which the supervisor ends a service that does not stop.
    SHUTDOWN_MS: env['SHUTDOWN_MS'] ?? '6000',
    HTTP_PORT: String(ports[name]),
    // Most of a service's start is compiling the same modules as its siblings.
    NODE_COMPILE_CACHE: env['NODE_COMPILE_CACHE'] ?? join(installationRoot, '.cache/compile'),
    ...(name.startsWith('worker-') ? worker : {}),
    ...(name === 'monitor' ? { CADRE_HISTORY_DIR: join(dataDir, 'history') } : {}),
  };
}
