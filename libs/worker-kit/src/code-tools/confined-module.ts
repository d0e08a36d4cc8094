/**
 * Runs one of our own modules as a confined process, for work that may use up any amount of time or memory: compilers, databases.
 * The module gets its request as JSON in its first argument and prints `{"ok": result}` or `{"fault": {code, message, remedy}}`.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CadreError } from '@cadre/contracts';
import { confinedProcess } from '../confined-process.js';
import { resolveSourcesHook } from './resolve-sources.js';

export interface ConfinedModule {
  /** The compiled module: `new URL('./x.js', import.meta.url)`. Where only its source is there (in tests), that is run. */
  module: URL;
  request: unknown;
  /** Working folder. */
  cwd: string;
  timeMs: number;
  memoryMb: number;
  signal: AbortSignal;
  /** What was being done, for errors: `The type check`. */
  what: string;
}

const OUTPUT_BYTES = 8 * 1024 * 1024;

/** Errors: those the module answers; `too-slow`, `too-much-memory`, `too-much-output` for a passed limit; `process-failed`; `aborted`. */
export async function confinedModule<T>(options: ConfinedModule): Promise<T> {
  const { module, request, cwd, timeMs, memoryMb, signal, what } = options;
  const result = await confinedProcess({
    command: process.execPath,
    args: [...nodeArguments(module), JSON.stringify(request)],
    cwd,
    timeMs,
    memoryMb,
    outputBytes: OUTPUT_BYTES,
    signal,
  });
  if (result.stopped) throw passedLimit(result.stopped, options);
  const answer = parse(result.stdout);
  if (answer && 'ok' in answer) return answer.ok as T;
  if (answer?.fault) {
    const { code, message, remedy } = answer.fault;
    throw new CadreError(code, message, remedy === undefined ? {} : { remedy });
  }
  const reason = result.stderr.split('\n').find((line) => /Error|error/.test(line)) ?? '';
  throw new CadreError('process-failed', `${what} ended without a result${reason && `: ${reason.slice(0, 300)}`}.`, { retriable: true });
}

function passedLimit(stopped: 'time' | 'memory' | 'output', { what, timeMs, memoryMb }: ConfinedModule): CadreError {
  if (stopped === 'time') {
    return new CadreError('too-slow', `${what} took more than ${timeMs / 1000} s and was stopped.`, { remedy: 'Ask for less at once.' });
  }
  if (stopped === 'memory') {
    return new CadreError('too-much-memory', `${what} needed more than ${memoryMb} MB and was stopped.`, {
      remedy: 'Ask for less at once.',
    });
  }
  return new CadreError('too-much-output', `${what} gave too much output and was stopped.`, { remedy: 'Ask for less at once.' });
}

function parse(text: string): { ok?: unknown; fault?: { code: string; message: string; remedy?: string } } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function nodeArguments(module: URL): string[] {
  const compiled = fileURLToPath(module);
  if (existsSync(compiled)) return [compiled];
  return ['--import', resolveSourcesHook, compiled.replace(/\.js$/, '.ts')];
}
