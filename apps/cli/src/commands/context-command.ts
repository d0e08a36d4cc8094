/** `cadre context put|get|list|delete|lineage`. */
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { mediaTypeOf, RunId } from '@cadre/contracts';
import type { ContextPutOptions } from '@cadre/sdk';
import { EXIT } from '../exit-codes.js';
import { reasonOf, UsageError } from '../failure.js';
import { bytes, moment } from '../output/figures.js';
import { artifactLineage, authorOf, runLineageLines } from '../output/lineage-lines.js';
import { table } from '../output/table.js';
import type { Terminal } from '../terminal.js';
import { clientFor, parseDuration, parseFormat } from './options.js';

export interface ContextFlags {
  url?: string;
  output?: string;
  text?: string;
  type?: string;
  tag?: string[];
  expects?: number;
  ttl?: string;
  keep?: number;
  out?: string;
  useVersion?: number;
  limit?: number;
  cursor?: string;
}

export async function putContext(name: string, file: string | undefined, flags: ContextFlags, terminal: Terminal): Promise<number> {
  const content = await contentOf(file, flags.text, terminal.cwd);
  const { expects, keep, ttl, tag, type } = flags;
  const mediaType = type ?? (file === undefined ? undefined : mediaTypeOf(name, mediaTypeOf(file)));
  const options: ContextPutOptions = {
    ...(expects === undefined ? {} : { expects }),
    ...(keep === undefined ? {} : { keep }),
    ...(ttl === undefined ? {} : { ttlMs: ttl === 'forever' ? null : parseDuration(ttl) }),
    ...(tag === undefined ? {} : { tags: tag }),
    ...(mediaType === undefined ? {} : { mediaType }),
  };
  const { version } = await clientFor(flags.url, terminal).context.put(name, content, options);
  terminal.err(`${name} is kept as version ${version}.`);
  return EXIT.ok;
}

async function contentOf(file: string | undefined, text: string | undefined, cwd: string): Promise<string | Uint8Array> {
  if (text !== undefined && file !== undefined) throw new UsageError('There are a file and --text.', 'Give one of them.');
  if (text !== undefined) return text;
  if (file === undefined) throw new UsageError('There is no content.', 'Give a file, or --text.');
  return readFile(resolve(cwd, file)).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`The file ${file} cannot be read: ${reasonOf(error)}.`, 'Check its path.');
  });
}

export async function getContext(name: string, flags: ContextFlags, terminal: Terminal): Promise<number> {
  const { version, mediaType, bytes: content } = await clientFor(flags.url, terminal).context.get(name, flags.useVersion);
  if (flags.out !== undefined) {
    await writeFile(resolve(terminal.cwd, flags.out), content).catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(`${flags.out} cannot be written: ${reasonOf(error)}.`, 'Check the path given to --out.');
    });
    terminal.err(`Version ${version} of ${name} is saved as ${flags.out} (${bytes(content.length)}).`);
    return EXIT.ok;
  }
  try {
    terminal.out(new TextDecoder('utf-8', { fatal: true }).decode(content));
  } catch {
    throw new UsageError(`${name} is no text (${mediaType}).`, `Save it: cadre context get ${name} --out FILE`);
  }
  return EXIT.ok;
}

export async function listContext(prefix: string | undefined, flags: ContextFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const { tag = [], limit, cursor } = flags;
  if (tag.length > 1) throw new UsageError('There are several tags.', 'Give one --tag.');
  const page = await clientFor(flags.url, terminal).context.list({
    ...(prefix === undefined ? {} : { prefix }),
    ...(tag[0] === undefined ? {} : { tag: tag[0] }),
    ...(limit === undefined ? {} : { limit }),
    ...(cursor === undefined ? {} : { cursor }),
  });
  if (format === 'json') terminal.out(JSON.stringify(page, null, 2));
  else if (page.artifacts.length === 0) terminal.err('There is nothing. Keep something with `cadre context put NAME FILE`.');
  else {
    const rows = page.artifacts.map(({ name, version, at, by, body, tags }) => [
      ...[name, String(version), bytes(body.size), moment(at), authorOf(by), tags.join(' ')],
    ]);
    table(['ARTIFACT', 'VERSION', 'SIZE', 'KEPT', 'BY', 'TAGS'], rows).forEach((line) => terminal.out(line));
    if (page.nextCursor !== undefined) terminal.err(`There are more: --cursor ${page.nextCursor}`);
  }
  return EXIT.ok;
}

export async function deleteContext(name: string, flags: ContextFlags, terminal: Terminal): Promise<number> {
  const { expects } = flags;
  const { version } = await clientFor(flags.url, terminal).context.delete(name, expects === undefined ? {} : { expects });
  terminal.err(`${name} is deleted; its newest version was ${version}.`);
  return EXIT.ok;
}

/** @param what the name of an artifact, or the id of a run */
export async function showLineage(what: string, flags: ContextFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const { context } = clientFor(flags.url, terminal);
  const show = <T>(lineage: T, lines: (lineage: T) => string[]): void =>
    format === 'json' ? terminal.out(JSON.stringify(lineage, null, 2)) : lines(lineage).forEach((line) => terminal.out(line));
  if (RunId.safeParse(what).success) show(await context.runLineage(what), runLineageLines);
  else show(await context.lineage(what, flags.useVersion), artifactLineage);
  return EXIT.ok;
}
