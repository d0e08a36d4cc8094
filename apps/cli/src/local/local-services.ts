/** The services of a local system, and how each is started. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CadreError } from '@cadre/contracts';
import { findNatsServer, startNatsServer } from '@cadre/nats-server';
import type { Ports } from './ports.js';
import { startNodeProcess } from './node-process.js';
import type { ProcessSpec } from './running-process.js';

export const WORKERS = ['data-analyst', 'code-writer', 'test-writer', 'documentation-writer', 'code-reviewer', 'generalist'] as const;

/**
 * Names as in `apps/`. All are started together, after NATS. Those that still have something to say to the owner of the runs when they stop
 * (workers hand back their work) stop before it.
 */
export const LOCAL_SERVICES: readonly { name: string; stopStage: number }[] = [
  { name: 'model-sim', stopStage: 1 },
  { name: 'orchestrator', stopStage: 1 },
  { name: 'monitor', stopStage: 1 },
  { name: 'scheduler', stopStage: 2 },
  { name: 'gateway', stopStage: 2 },
  ...WORKERS.map((specialty) => ({ name: `worker-${specialty}`, stopStage: 2 })),
];

/** The folder that holds `apps/`. */
export const installationRoot = resolve(fileURLToPath(import.meta.url), '../../../../..');

export interface LocalSystemOptions {
  /** Folder of all data and logs. */
  dataDir: string;
  ports: Ports;
  env: NodeJS.ProcessEnv;
  /** Default: this installation. */
  root?: string;
  log?: (line: string) => void;
}

/** Whether a model server of the user's own is set, so that ours is not needed. */
export function hasOwnModel(env: NodeJS.ProcessEnv): boolean {
  return (env['OPENAI_BASE_URL'] ?? '') !== '';
}

/** @throws CadreError `not-built` when a service has not been compiled */
export function localSystem(options: LocalSystemOptions): ProcessSpec[] {
  const root = options.root ?? installationRoot;
  const services = LOCAL_SERVICES.filter(({ name }) => name !== 'model-sim' || !hasOwnModel(options.env));
  const missing = services.filter(({ name }) => !existsSync(mainOf(root, name))).map(({ name }) => name);
  if (missing.length > 0) {
    throw new CadreError('not-built', `These services are not built: ${missing.join(', ')}.`, {
      remedy: `Run \`npm ci && npm run build\` in ${root}.`,
    });
  }
  return [natsSpec(options), ...services.map(({ name, stopStage }) => serviceSpec(name, stopStage, root, options))];
}

const mainOf = (root: string, name: string): string => join(root, 'apps', name, 'dist/main.js');

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
        syncAlways: env['CADRE_SYNC'] !== 'fast',
        timeoutMs: 60_000,
      });
      return { pid: server.pid, exited: server.exited, stop: () => server.stop(), kill: () => void server.kill() };
    },
  };
}

function serviceSpec(name: string, stopStage: number, root: string, { dataDir, ports, env }: LocalSystemOptions): ProcessSpec {
  return {
    name,
    stage: 1,
    stopStage,
    launch: (signal) =>
      startNodeProcess(
        {
          name,
          script: mainOf(root, name),
          logFile: join(dataDir, 'logs', `${name}.log`),
          readyFile: join(dataDir, 'run', `${name}.json`),
          env: { ...env, ...serviceEnvironment(name, dataDir, ports, env) },
        },
        signal,
      ),
  };
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
