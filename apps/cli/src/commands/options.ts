/** Reading of option values, with messages that say what would be right. */
import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { PRIORITIES, type Priority, RunId, WorkspacePath, type Json, ParamName, type Params } from '@cadre/contracts';
import { CadreClient, type InputFile } from '@cadre/sdk';
import { reasonOf, UsageError } from '../failure.js';
import { DEFAULT_PORT } from '@cadre/local-system';
import type { OutputFormat } from '../output/run-output.js';
import type { Terminal } from '../terminal.js';

export const DEFAULT_URL = `http://127.0.0.1:${DEFAULT_PORT}`;

/** The client for `--url`, else CADRE_URL, else this machine. */
export function clientFor(url: string | undefined, { env }: Terminal): CadreClient {
  const baseUrl = url ?? (env['CADRE_URL'] || DEFAULT_URL);
  if (!URL.canParse(baseUrl) || !/^https?:/.test(baseUrl)) {
    throw new UsageError(
      `${JSON.stringify(baseUrl)} is not the address of a gateway.`,
      `Give one such as ${DEFAULT_URL} in CADRE_URL or --url.`,
    );
  }
  return new CadreClient({ baseUrl });
}

/** Dollars, for example `0.50` or `$2`. @returns a reader that gives millionths of a dollar */
export function parseMoney(name: string): (text: string) => number {
  return (text) => {
    const match = /^\$?(\d{1,9}(?:\.\d{1,6})?)$/.exec(text.trim());
    if (match === null)
      throw new UsageError(
        `${name} is ${JSON.stringify(text)}, not an amount of money.`,
        'Write US dollars, with up to six decimals: 2 or 0.50.',
      );
    return Math.round(Number(match[1]) * 1e6);
  };
}

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `10m`, `2h`, `1d`, `500ms` @returns milliseconds */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text.trim());
  if (match === null) throw new UsageError(`${JSON.stringify(text)} is not a length of time.`, 'Write a number and a unit: 90s, 10m, 2h.');
  return Math.round(Number(match[1]) * units[match[2]!]!);
}

export function parsePriority(text: string): Priority {
  const found = PRIORITIES.find((priority) => priority === text);
  if (found === undefined) throw new UsageError(`There is no priority ${JSON.stringify(text)}.`, `Choose one of ${PRIORITIES.join(', ')}.`);
  return found;
}

export function parseProfile(text: string): 'durable' | 'fast' {
  if (text === 'durable' || text === 'fast') return text;
  throw new UsageError(`There is no profile ${JSON.stringify(text)}.`, 'Choose durable or fast.');
}

export function parseFormat(text: string): OutputFormat {
  if (text === 'json' || text === 'text') return text;
  throw new UsageError(`There is no output format ${JSON.stringify(text)}.`, 'Choose json or text.');
}

export function parseWhole(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new UsageError(`${name} is ${JSON.stringify(text)}, not a whole number from ${min} to ${max}.`);
  };
}

export function parseRunId(text: string): string {
  if (RunId.safeParse(text).success) return text;
  throw new UsageError(`${JSON.stringify(text)} is not a run id.`, 'A run id looks like r00-0199…; `cadre runs list` shows them.');
}

/** Gathers a repeatable option. */
export const gather = (value: string, before: string[] = []): string[] => [...before, value];

/** `key=value` pairs */
export function parseLabels(pairs: string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`The label ${JSON.stringify(pair)} has no value.`, 'Write --label name=value.');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** @param name of the option @param example of what may be written */
export function parseJson(name: string, text: string, example: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new UsageError(`${name} is not JSON: ${text.slice(0, 80)}`, `Write for example ${name} '${example}'.`);
  }
}

/** `name=value`; a value that is no JSON is a text. */
export function parseParams(pairs: string[]): Params {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`The parameter ${JSON.stringify(pair)} has no value.`, 'Write --param name=value.');
      const name = ParamName.safeParse(pair.slice(0, at));
      if (!name.success) throw new UsageError(`${pair.slice(0, at)}: ${name.error.issues[0]?.message}.`, 'Write --param name=value.');
      return [name.data, valueOf(pair.slice(at + 1))];
    }),
  );
}

function valueOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** Opens input files without reading them yet. Names that agents could not use are changed, and `note` is told. */
export async function openInputs(paths: string[], cwd: string, note: (line: string) => void): Promise<InputFile[]> {
  const files: InputFile[] = [];
  for (const path of paths) {
    const full = resolve(cwd, path);
    const found = await stat(full).catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(`The input ${path} cannot be read: ${reasonOf(error)}.`, 'Check the path given to --input.');
    });
    if (!found.isFile()) throw new UsageError(`The input ${path} is not a file.`, 'Give each file with its own --input.');
    const name = usableName(basename(full));
    if (name !== basename(full)) note(`${basename(full)} is sent as ${name}.`);
    if (files.some((file) => file.name === name)) throw new UsageError(`Two inputs are named ${name}.`, 'Rename one of them.');
    files.push({ name, data: await openAsBlob(full) });
  }
  return files;
}

function usableName(name: string): string {
  if (WorkspacePath.safeParse(name).success) return name;
  const plain = name
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^A-Za-z0-9._@ ()+,=-]/g, '_')
    .replace(/^\./, '_');
  return plain.slice(-200);
}
