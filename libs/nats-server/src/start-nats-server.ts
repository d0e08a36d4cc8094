/**
 * Starts one nats-server with JetStream on loopback, for tests and for `cadre dev`. It has a session of its own, so that a Ctrl-C in the
 * terminal reaches only us and the services can still hand back their work; a watchdog ends it if we die without a word.
 */
import type { CadreError } from '@cadre/contracts';
import { randomBytes } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { portTaken, startFailed } from './errors.js';
import { findNatsServer } from './find-nats-server.js';
import { jetStreamAnswers } from './readiness.js';
import { adoptGlobalAccount, serverConfig, type ClusterSettings } from './server-config.js';
import { startWatchdog, type Watchdog } from './watchdog.js';

export interface StartOptions {
  /** Default: a temporary folder that goes with the server. A folder given is kept. */
  dataDir?: string;
  /** Default: any free port. */
  port?: number;
  /** Default 127.0.0.1. There is no authentication yet: do not open it to a network. */
  host?: string;
  /** Whether each write is on disk before it is acknowledged. Default true. */
  syncAlways?: boolean;
  /** Default: made up. A server of a cluster keeps its name over restarts. */
  name?: string;
  /** Default: a server of its own. See `startNatsCluster`. */
  cluster?: ClusterSettings;
  /** Path of the binary. Default: `findNatsServer()`. */
  binary?: string;
  /** The server's log goes there, appended. Default: kept in memory for error messages only. */
  logFile?: string;
  /** How long it may take until JetStream answers. Default 15 s; a large data folder takes longer. */
  timeoutMs?: number;
  log?: (line: string) => void;
}

export interface RunningNatsServer {
  /** `nats://host:port` */
  url: string;
  host: string;
  port: number;
  pid: number;
  dataDir: string;
  /** Settles when the process has ended, by whatever cause. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** SIGTERM, after 5 s SIGKILL; a temporary data folder is removed. May be called again. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash would: data stay, also temporary ones, so that a server can be started on them again; `stop` removes them. */
  kill(): Promise<void>;
}

/** @throws CadreError `port-taken`, `nats-server-failed`, and those of `findNatsServer` */
export async function startNatsServer(options: StartOptions = {}): Promise<RunningNatsServer> {
  const host = options.host ?? '127.0.0.1';
  const binary = options.binary ?? (await findNatsServer(options.log === undefined ? {} : { log: options.log })).path;
  const scratch = await mkdtemp(join(tmpdir(), 'cadre-nats-'));
  const dataDir = options.dataDir ?? join(scratch, 'data');
  await mkdir(dataDir, { recursive: true });
  await adoptGlobalAccount(dataDir);
  if (options.logFile !== undefined) await mkdir(dirname(options.logFile), { recursive: true });
  const config = join(scratch, 'nats-server.conf');
  const { port = -1, syncAlways = true, name = `cadre-${process.pid}-${randomBytes(3).toString('hex')}` } = options;
  await writeFile(config, serverConfig({ ...options, host, port, name, dataDir, scratch, syncAlways }));
  const server = launch(binary, config, scratch);
  const removeScratch = (): Promise<void> => rm(scratch, { recursive: true, force: true, maxRetries: 5 });
  // A crash must not leave the configuration behind; temporary data stay for a second start.
  if (options.dataDir !== undefined) void server.exited.then(removeScratch, () => undefined);
  try {
    const actual = await waitUntilReady(server, { host, scratch, options });
    return {
      ...{ url: `nats://${host}:${actual}`, host, port: actual, pid: server.child.pid!, dataDir, exited: server.exited },
      stop: async () => {
        await end(server, 'SIGTERM');
        await removeScratch();
      },
      kill: () => end(server, 'SIGKILL'),
    };
  } catch (error) {
    await end(server, 'SIGKILL');
    await removeScratch();
    throw error;
  }
}

interface Launched {
  child: ChildProcess;
  exited: RunningNatsServer['exited'];
  /** Set once the process has ended or could not be started. */
  ended: () => string | undefined;
  /** The last lines that it wrote. */
  output: string[];
  watchdog: Watchdog;
}

function launch(binary: string, config: string, scratch: string): Launched {
  const watchdog = startWatchdog(scratch);
  const child = spawn(binary, ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'], detached: process.platform !== 'win32' });
  if (child.pid !== undefined) watchdog.guard(child.pid);
  const output: string[] = [];
  child.stderr!.setEncoding('utf8');
  child.stderr!.on('data', (chunk: string) => {
    output.push(...chunk.split('\n').filter((line) => line.trim() !== ''));
    output.splice(0, Math.max(0, output.length - 40));
  });
  let ended: string | undefined;
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('error', (error) => {
      ended = error.message;
      resolve({ code: null, signal: null });
    });
    child.once('close', (code, signal) => {
      ended ??= signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`;
      resolve({ code, signal });
    });
  });
  void exited.then(() => watchdog.dismiss());
  return { child, exited, ended: () => ended, output, watchdog };
}

async function waitUntilReady(server: Launched, at: { host: string; scratch: string; options: StartOptions }): Promise<number> {
  const timeoutMs = at.options.timeoutMs ?? 15_000;
  const until = Date.now() + timeoutMs;
  for (;;) {
    const ended = server.ended();
    if (ended !== undefined) throw await explain(server, ended, at);
    // The ports file is this very server's own word; a fixed port alone may be another server's.
    const actual = await readPort(at.scratch);
    if (actual !== undefined && (await jetStreamAnswers(at.host, actual))) return actual;
    if (Date.now() > until) throw startFailed(`JetStream did not answer within ${timeoutMs / 1000} s`, server.output);
    await sleep(20);
  }
}

async function explain(server: Launched, ended: string, { host, options }: { host: string; options: StartOptions }): Promise<CadreError> {
  const { port, logFile } = options;
  const logged = logFile === undefined ? '' : await readFile(logFile, 'utf8').catch(() => '');
  const output = [...logged.split('\n').filter((line) => line !== ''), ...server.output].slice(-40);
  if (port !== undefined && output.some((line) => line.includes('address already in use'))) return portTaken(host, port);
  return startFailed(ended, output);
}

/** The port on which the server listens, once it has written its ports file. */
async function readPort(scratch: string): Promise<number | undefined> {
  const name = (await readdir(scratch)).find((file) => file.endsWith('.ports'));
  if (name === undefined) return undefined;
  try {
    const ports = JSON.parse(await readFile(join(scratch, name), 'utf8')) as { nats?: string[] };
    const port = Number(new URL(ports.nats?.[0] ?? '').port);
    return port > 0 ? port : undefined;
  } catch {
    return undefined; // half written
  }
}

async function end(server: Launched, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (server.ended() !== undefined) return;
  server.child.kill(signal);
  const timer = setTimeout(() => server.child.kill('SIGKILL'), 5000);
  await server.exited;
  clearTimeout(timer);
}
