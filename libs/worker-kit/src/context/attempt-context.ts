/**
 * The context store as one attempt uses it. It says who asks, from the assignment and not from what a model says, and remembers what was
 * read and written: a new version names what its maker had read before, and the attempt's result names all of it.
 */
import type { Work } from '@cadre/agents';
import { CONTEXT_LIMITS, mediaTypeOf, utf8Bytes } from '@cadre/contracts';
import type { ContextArtifactView, ContextAuthor, ContextRef, ContextSource, ContextSummary, ContextVersion } from '@cadre/contracts';
import type { TaskContext, ToolArgs, ToolResult } from '@cadre/contracts';
import { refusalError } from '@cadre/engine';
import type { ContextCaller, ContextRefusal, SharedContext } from '@cadre/engine';

/** What was asked for is not done: why, in words and for programs. */
export interface RefusedContext {
  error: string;
  refusal: ContextRefusal;
}
export type ContextAnswer<N extends ContextToolName> = ToolResult<N> | RefusedContext;
export type ContextToolName = 'context_put' | 'context_get' | 'context_list' | 'context_delete';

/** Bytes of JSON that the longest part of an answer may take, so that all of it fits into what a tool may answer. */
const ANSWER_BYTES = 48 * 1024;

export class AttemptContext {
  private readonly caller: ContextCaller;
  private readonly read = new Map<string, ContextRef>();
  private readonly written = new Map<string, ContextRef>();

  constructor(
    private readonly shared: SharedContext,
    private readonly work: Pick<Work, 'assignment' | 'agent'>,
  ) {
    const { tenant, runId, taskId, attempt } = work.assignment;
    this.caller = { tenant, by: { kind: 'agent', agent: work.agent.name, runId, taskId, attempt } };
  }

  /** @param key of the recorded call: with it the same version is made once, however often it is asked for */
  async put({ text, mediaType, ...args }: ToolArgs<'context_put'>, key: string): Promise<ContextAnswer<'context_put'>> {
    const bytes = new TextEncoder().encode(text);
    const end = await this.shared.put(this.caller, {
      ...{ ...args, bytes, key, from: this.sources() },
      mediaType: mediaType ?? mediaTypeOf(args.name, 'text/markdown'),
    });
    return end.ok ? { name: args.name, version: end.version, sha256: end.sha256 } : refused(end.refusal);
  }

  async get({ name, version, offset, maxBytes }: ToolArgs<'context_get'>): Promise<ContextAnswer<'context_get'>> {
    const end = await this.shared.get(this.caller, name, version);
    if (!end.ok) return refused(end.refusal);
    const part = partOf(await this.shared.body(end.version), offset, maxBytes);
    return { ...found(end.artifact, end.version), ...part };
  }

  async list({ prefix, tag, after, limit }: ToolArgs<'context_list'>): Promise<ContextAnswer<'context_list'>> {
    const page = await this.shared.list(this.caller, { prefix, tag, after, limit });
    const artifacts = page.artifacts.map(described);
    let size = 0;
    const fitting = artifacts.filter((each) => (size += utf8Bytes(JSON.stringify(each))) <= ANSWER_BYTES);
    return { artifacts: fitting, more: page.nextCursor !== undefined || fitting.length < artifacts.length };
  }

  async delete({ name, expects }: ToolArgs<'context_delete'>, key: string): Promise<ContextAnswer<'context_delete'>> {
    const end = await this.shared.remove(this.caller, { name, key, expects });
    return end.ok ? { name, version: end.version } : refused(end.refusal);
  }

  /** Takes note of what was answered, now or by an earlier attempt whose record this one goes on from. */
  noteRead(answer: ContextAnswer<'context_get'>): void {
    if (!('error' in answer)) note(this.read, answer);
  }

  noteWritten(answer: ContextAnswer<'context_put'>): void {
    if (!('error' in answer)) note(this.written, answer);
  }

  /** What the attempt has read and written; undefined: nothing. */
  record(): TaskContext | undefined {
    if (this.read.size + this.written.size === 0) return undefined;
    const last = (refs: Map<string, ContextRef>) => [...refs.values()].slice(-CONTEXT_LIMITS.sources);
    return { read: last(this.read), written: last(this.written) };
  }

  /** What was read goes first: inputs are those of the whole run. */
  private sources(): ContextSource[] {
    const inputs = this.work.assignment.inputs.map(({ name, sha256 }) => ({ input: name, sha256 }));
    return [...[...this.read.values()].slice(-CONTEXT_LIMITS.sources), ...inputs].slice(0, CONTEXT_LIMITS.sources);
  }
}

function refused(refusal: ContextRefusal): RefusedContext {
  const { message, remedy } = refusalError(refusal);
  return { error: `${message} ${remedy}`, refusal };
}

function note(refs: Map<string, ContextRef>, { name, version, sha256 }: { name: string; version: number; sha256: string }): void {
  const id = `${name}@${version} ${sha256}`;
  if (!refs.has(id)) refs.set(id, { artifact: name, version, sha256 });
}

function found(artifact: ContextArtifactView, version: ContextVersion) {
  const versions = artifact.versions.map((each) => each.version);
  return { ...described({ ...version, name: artifact.name }), sha256: version.body.sha256, versions };
}

function described({ name, version, at, by, tags, body }: ContextSummary): {
  name: string;
  version: number;
  at: number;
  by: ContextAuthor;
  tags: string[];
  mediaType: string;
  size: number;
} {
  return { name, version, at, by, tags, mediaType: body.mediaType, size: body.size };
}

/** A part of a text that begins and ends between characters, at most so many bytes, and short enough as JSON. */
function partOf(bytes: Uint8Array, offset: number, maxBytes: number): { text: string; next?: number } {
  for (let length = maxBytes; ; length = Math.floor(length / 2)) {
    const start = boundary(bytes, offset);
    const end = boundary(bytes, start + length);
    const text = new TextDecoder().decode(bytes.subarray(start, end));
    if (utf8Bytes(JSON.stringify(text)) <= ANSWER_BYTES) return end < bytes.length ? { text, next: end } : { text };
  }
}

/** The nearest place at or before this one that is not within a character; no character takes more than four bytes. */
function boundary(bytes: Uint8Array, at: number): number {
  if (at >= bytes.length) return bytes.length;
  let place = at;
  while (place > 0 && at - place < 3 && (bytes[place]! & 0xc0) === 0x80) place -= 1;
  return place;
}
