/** Runs a command to its end, without throwing. */
import { execFile } from 'node:child_process';

export interface RunOptions {
  timeoutMs: number;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
}

export interface RunResult {
  stdout: string;
  stderr: string;
  /** Set when the command was not found, failed, or ran out of time: a short reason. */
  error?: string;
}

export function run(command: string, args: string[], options: RunOptions): Promise<RunResult> {
  return new Promise((resolve) => {
    execFile(
      command,
      args,
      {
        timeout: options.timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: 16 * 1024 * 1024,
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        ...(options.env === undefined ? {} : { env: options.env }),
      },
      (error, stdout, stderr) => {
        resolve(error === null ? { stdout, stderr } : { stdout, stderr, error: reason(error, stderr, options.timeoutMs) });
      },
    );
  });
}

function reason(error: Error & { code?: unknown; killed?: boolean }, stderr: string, timeoutMs: number): string {
  if (error.killed === true) return `it did not end within ${timeoutMs / 1000} s`;
  if (error.code === 'ENOENT') return 'no such command';
  if (error.code === 'EACCES') return 'it is not executable';
  const lastLine = stderr.trim().split('\n').at(-1);
  return lastLine === undefined || lastLine === '' ? error.message.split('\n')[0]! : lastLine;
}
