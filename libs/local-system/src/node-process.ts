/** Starts one service as a Node process: log file, ready file, lifeline, a process group of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CadreError } from '@cadre/contracts';
import { CONFIG_EXIT_CODE, type RunningProcess } from './running-process.js';

export interface NodeProcessOptions {
  name: string;
  /** Path of the script. */
  script: string;
  env: NodeJS.ProcessEnv;
  logFile: string;
  /** The service writes `{"url","pid"}` there when it is ready; told to it as CADRE_READY_FILE. */
  readyFile: string;
  /** How long it may take to be ready. */
  startMs?: number;
  /** How long it may take to stop. */
  stopMs?: number;
}

const LARGE_LOG_BYTES = 20 * 1024 * 1024;
/** Beside this file, and like it compiled or not: Node strips the types of a source by itself. */
const lifeline = join(import.meta.dirname, `lifeline${extname(import.meta.filename)}`);

/** @throws CadreError `service-failed` with the end of its log, when it ends or is not ready in time */
export async function startNodeProcess(options: NodeProcessOptions, signal?: AbortSignal): Promise<RunningProcess> {
  const { name, logFile, readyFile, startMs = 60_000 } = options;
  await Promise.all([mkdir(dirname(logFile), { recursive: true }), mkdir(dirname(readyFile), { recursive: true })]);
  await rm(readyFile, { force: true });
  const logStart = await prepareLog(logFile);
  const child = launch(options);
  const exited = exitOf(child);
  let ended: { code: number | null; signal: NodeJS.Signals | null } | undefined;
  void exited.then((exit) => {
    ended = exit;
    // What the service itself started and left behind goes with it.
    killGroup(child);
  });
  const until = Date.now() + startMs;
  while (!(await isReady(readyFile, child.pid))) {
    if (ended !== undefined) throw await startFailure(name, describeExit(ended), logFile, logStart, ended.code);
    if (signal?.aborted === true) {
      killGroup(child);
      await exited;
      throw signal.reason;
    }
    if (Date.now() > until) {
      killGroup(child);
      throw await startFailure(name, `it was not ready within ${startMs / 1000} s`, logFile, logStart, null);
    }
    await sleep(40);
  }
  return {
    pid: child.pid!,
    exited,
    stop: () => stopGracefully(child, exited, options.stopMs ?? 8000),
    kill: () => killGroup(child),
  };
}

function launch({ script, env, logFile, readyFile }: NodeProcessOptions): ChildProcess {
  const log = openSync(logFile, 'a');
  try {
    // A group of its own: a Ctrl-C in the terminal reaches only the supervisor, which then stops all in good order.
    return spawn(process.execPath, ['--enable-source-maps', '--import', lifeline, script], {
      stdio: ['ignore', log, log, 'pipe'],
      env: { ...env, CADRE_READY_FILE: readyFile },
      detached: process.platform !== 'win32',
    });
  } finally {
    closeSync(log);
  }
}

/** @returns where this start's lines begin */
async function prepareLog(path: string): Promise<number> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= LARGE_LOG_BYTES) return size;
  await rename(path, `${path}.old`);
  return 0;
}

function exitOf(child: ChildProcess): RunningProcess['exited'] {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
    child.stdio[3]?.on('error', () => undefined);
  });
}

/** The file of an earlier life names another process. */
async function isReady(path: string, pid: number | undefined): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => '');
  try {
    return (JSON.parse(text) as { pid?: number }).pid === pid;
  } catch {
    return false;
  }
}

async function stopGracefully(child: ChildProcess, exited: RunningProcess['exited'], stopMs: number): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => killGroup(child), stopMs);
  await exited;
  clearTimeout(timer);
}

/** Ends the service and all that it started. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL');
  } catch {
    // Nobody is left in the group.
  }
}

export function describeExit({ code, signal }: { code: number | null; signal: NodeJS.Signals | null }): string {
  if (signal !== null) return `it was ended by ${signal}`;
  return code === null ? 'it could not be started' : `it ended with code ${code}`;
}

async function startFailure(name: string, reason: string, logFile: string, logStart: number, code: number | null): Promise<CadreError> {
  const log = await readFile(logFile, 'utf8').catch(() => '');
  const tail = Buffer.from(log).subarray(logStart).toString('utf8').trimEnd().split('\n').slice(-12);
  const shown = tail.filter((line) => line !== '').map((line) => `\n  | ${line.slice(0, 400)}`);
  return new CadreError(
    code === CONFIG_EXIT_CODE ? 'service-misconfigured' : 'service-failed',
    `${name} did not start: ${reason}.${shown.join('')}`,
    {
      remedy: `Read ${logFile} for the whole story.`,
    },
  );
}
