/**
 * Runs a program that we do not trust: generated code, or a compiler at work on it. The child gets its own session, a clean
 * environment, and limits on time, memory and output; when it ends or passes a limit, everything it started is killed.
 *
 * Memory is watched from outside through /proc (the sum over the child's whole session and descendants), because a limit on address
 * space breaks V8. Where there is no /proc only V8's heap limit holds.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { CadreError } from '@cadre/contracts';
import { ProcessFamily, startWatchdog } from './process-family.js';
import type { Watchdog } from './process-family.js';

const WATCH_EVERY_MS = 50;
/** How long the pipes may stay open after the child has ended; a stray process that holds them is left without a reader. */
const PIPES_MS = 500;

export interface ConfinedOptions {
  command: string;
  args: string[];
  /** The child's working folder; also its HOME. */
  cwd: string;
  /** Further variables. The child sees only these, PATH, HOME, LANG and a heap limit; nothing else of ours. */
  env?: Record<string, string>;
  timeMs: number;
  memoryMb: number;
  /** Limit on standard output and error together; what exceeds it is cut. */
  outputBytes: number;
  signal: AbortSignal;
}

export interface ConfinedResult {
  /** Exit code; null when a signal ended the child. */
  code: number | null;
  stdout: string;
  stderr: string;
  /** The limit that ended it. */
  stopped?: 'time' | 'memory' | 'output';
}

/** Errors: `aborted` when the signal aborts (the child is dead by then), `process-not-started` when there is no such program. */
export async function confinedProcess(options: ConfinedOptions): Promise<ConfinedResult> {
  if (options.signal.aborted) throw new CadreError('aborted', 'The work was stopped before the process started.');
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: childEnvironment(options),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Confinement(child, options).result();
}

function childEnvironment(options: ConfinedOptions): Record<string, string> {
  const heap = `--max-old-space-size=${Math.max(16, Math.floor(options.memoryMb))}`;
  return {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: options.cwd,
    LANG: 'C.UTF-8',
    ...options.env,
    NODE_OPTIONS: [options.env?.['NODE_OPTIONS'], heap].filter(Boolean).join(' '),
  };
}

class Confinement {
  private readonly chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  private readonly family: ProcessFamily | undefined;
  private readonly watchdog: Watchdog | undefined;
  private bytes = 0;
  private stopped: ConfinedResult['stopped'] | 'aborted';

  constructor(
    private readonly child: ChildProcess,
    private readonly options: ConfinedOptions,
  ) {
    this.family = child.pid === undefined ? undefined : new ProcessFamily(child.pid);
    this.watchdog = child.pid === undefined ? undefined : startWatchdog(child.pid);
  }

  async result(): Promise<ConfinedResult> {
    const { child, options } = this;
    for (const name of ['stdout', 'stderr'] as const) child[name]?.on('data', (chunk: Buffer) => this.take(name, chunk));
    const timer = setTimeout(() => this.stop('time'), options.timeMs);
    const watch = setInterval(() => this.checkMemory(), WATCH_EVERY_MS);
    const onAbort = () => this.stop('aborted');
    options.signal.addEventListener('abort', onAbort, { once: true });
    try {
      return this.describe(await this.ended());
    } finally {
      clearTimeout(timer);
      clearInterval(watch);
      this.watchdog?.dismiss();
      options.signal.removeEventListener('abort', onAbort);
    }
  }

  private describe(code: number | null): ConfinedResult {
    const stdout = Buffer.concat(this.chunks.stdout).toString('utf8');
    const stderr = Buffer.concat(this.chunks.stderr).toString('utf8');
    if (this.stopped === 'aborted') throw new CadreError('aborted', 'The process was stopped because the work is no longer wanted.');
    const stopped = this.stopped ?? (code !== 0 && stderr.includes('JavaScript heap out of memory') ? 'memory' : undefined);
    return { code, stdout, stderr, ...(stopped && { stopped }) };
  }

  private take(name: 'stdout' | 'stderr', chunk: Buffer): void {
    const room = this.options.outputBytes - this.bytes;
    if (room > 0) this.chunks[name].push(chunk.subarray(0, room));
    this.bytes += chunk.length;
    if (chunk.length > room) this.stop('output');
  }

  private checkMemory(): void {
    if (this.family && this.family.residentBytes() > this.options.memoryMb * 1024 * 1024) this.stop('memory');
  }

  private stop(reason: NonNullable<typeof this.stopped>): void {
    this.stopped ??= reason;
    this.family?.kill();
  }

  /** The exit code, once the child and all it started are dead and the pipes are read. */
  private ended(): Promise<number | null> {
    const { child } = this;
    return new Promise((resolve, reject) => {
      child.on('error', (cause) =>
        reject(
          new CadreError('process-not-started', `The program ${this.options.command} could not be started: ${cause.message}`, { cause }),
        ),
      );
      child.on('exit', (code) => {
        this.family?.kill();
        const pipes = setTimeout(() => {
          child.stdout?.destroy();
          child.stderr?.destroy();
          resolve(code);
        }, PIPES_MS);
        child.on('close', () => {
          clearTimeout(pipes);
          resolve(code);
        });
      });
    });
  }
}
