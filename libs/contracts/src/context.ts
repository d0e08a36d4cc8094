/** The context store: artifacts that outlive a run, shared between the runs and agents of one tenant. */
import { z } from 'zod';
import { AgentName, RunId, TaskId } from './ids.js';
import { BlobRef, Timestamp, WorkspacePath } from './values.js';

export const CONTEXT_LIMITS = {
  /** Versions kept of an artifact: unless said otherwise, and at most. */
  keepDefault: 10,
  keepMax: 64,
  /** Of one body. */
  bodyBytes: 8 * 1024 * 1024,
  /** Sources that a version names. */
  sources: 32,
  /** Keys that an artifact remembers of versions that are gone. */
  pastKeys: 100,
  /** Entries of one answer. */
  listed: 200,
  /** Versions that a lineage goes back through. */
  traced: 200,
} as const;

/** Folders are part of the name: `reports/weather.md`. */
export const ContextName = z
  .string()
  .max(200)
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/,
    'a name is letters, digits, ., _ and -, with / between its folders (at most 200)',
  );
export type ContextName = z.infer<typeof ContextName>;

export const ContextTag = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._:-]{0,39}$/, 'a tag is lower-case letters, digits, ., _, : and - (at most 40)');
export type ContextTag = z.infer<typeof ContextTag>;

const tags = z.array(ContextTag).max(20);
const version = z.int().min(1);
const sha256 = BlobRef.shape.sha256;

/** A version of an artifact. The digest tells it from another life of the name. */
export const ContextRef = z.strictObject({ artifact: ContextName, version, sha256 });
export type ContextRef = z.infer<typeof ContextRef>;

/** What a version was made from: a version of an artifact that its maker had read, or an input of the run. */
export const ContextSource = z.union([ContextRef, z.strictObject({ input: WorkspacePath, sha256 })]);
export type ContextSource = z.infer<typeof ContextSource>;

/** Who made a version: somebody at the API, or an agent in an attempt of a run. */
export const ContextAuthor = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('user') }),
  z.strictObject({ kind: z.literal('agent'), agent: AgentName, runId: RunId, taskId: TaskId, attempt: version }),
]);
export type ContextAuthor = z.infer<typeof ContextAuthor>;

/** Of the call or request that makes a change: whoever comes again with the same one asks for the same change. */
export const ContextKey = z.string().min(1).max(200);
export type ContextKey = z.infer<typeof ContextKey>;

export const ContextVersion = z.strictObject({
  version,
  at: Timestamp,
  by: ContextAuthor,
  key: ContextKey,
  body: BlobRef,
  tags,
  from: z.array(ContextSource).max(CONTEXT_LIMITS.sources),
});
export type ContextVersion = z.infer<typeof ContextVersion>;

const keep = z.int().min(1).max(CONTEXT_LIMITS.keepMax);
const ttlMs = z.int().min(1000).max(315_360_000_000);

/**
 * An artifact as the bucket `cadre_context` holds it. Without versions it has been deleted, and is kept for a day so that nothing is
 * repeated.
 */
export const ContextRecord = z.strictObject({
  name: ContextName,
  /** The number given last; numbers are not given twice. */
  last: version,
  keep,
  ttlMs: ttlMs.optional(),
  expiresAt: Timestamp.optional(),
  /** Oldest first. */
  versions: z.array(ContextVersion).max(CONTEXT_LIMITS.keepMax),
  /** Keys of changes whose version is gone, with the number that they led to. */
  past: z.array(z.strictObject({ key: ContextKey, version })).max(CONTEXT_LIMITS.pastKeys),
});
export type ContextRecord = z.infer<typeof ContextRecord>;

export const ContextAccess = z.enum(['read', 'write', 'delete']);
export type ContextAccess = z.infer<typeof ContextAccess>;

/** A name, a folder with all that is in it (`reports/`), or everything (`*`). */
export const ContextPattern = z
  .string()
  .max(201)
  .regex(/^(\*|[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*\/?)$/, 'a pattern is a name, a folder with / at its end, or *');
export type ContextPattern = z.infer<typeof ContextPattern>;

export const ContextRule = z.strictObject({ on: ContextPattern, may: z.array(ContextAccess).min(1).max(3) });
export type ContextRule = z.infer<typeof ContextRule>;

/** Body of `PUT /v1/context/grants/{agent}`: all that the agent may do; an empty list takes everything away. */
export const ContextGrantsRequest = z.strictObject({ rules: z.array(ContextRule).max(100) });
export type ContextGrantsRequest = z.infer<typeof ContextGrantsRequest>;

export const ContextGrants = ContextGrantsRequest.extend({ agent: AgentName });
export type ContextGrants = z.infer<typeof ContextGrants>;

/** Answer to `GET /v1/context/grants`. */
export const ContextGrantsList = z.strictObject({ grants: z.array(ContextGrants) });
export type ContextGrantsList = z.infer<typeof ContextGrantsList>;

/** What a change may say beside its content. */
export const ContextSettings = z.strictObject({
  tags: tags.default([]),
  /** The version that must be the newest; 0: the artifact must not exist. Default: whatever is there. */
  expects: z.int().min(0).optional(),
  /** How long the artifact lives on after this version, in milliseconds; null: for ever. Default: as before, at first for ever. */
  ttlMs: ttlMs.nullable().optional(),
  /** Versions kept. Default: as before, at first 10. */
  keep: keep.optional(),
});
export type ContextSettings = z.infer<typeof ContextSettings>;

/** Body of `PUT /v1/context/artifacts/{name}`. */
export const ContextPutRequest = ContextSettings.extend({
  content: z.union([
    z.strictObject({ text: z.string() }),
    z.strictObject({ base64: z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/, 'not base64') }),
  ]),
  /** Default: by the extension of the name; of other texts Markdown. */
  mediaType: BlobRef.shape.mediaType.optional(),
});
export type ContextPutRequest = z.infer<typeof ContextPutRequest>;

/** Answer to that, and to `GET /v1/context/versions/{name}`: the versions that are kept, oldest first. */
export const ContextArtifactView = ContextRecord.omit({ last: true, past: true }).extend({ version });
export type ContextArtifactView = z.infer<typeof ContextArtifactView>;

/** An artifact as lists show it: its newest version. */
export const ContextSummary = ContextVersion.omit({ from: true, key: true }).extend({ name: ContextName, expiresAt: Timestamp.optional() });
export type ContextSummary = z.infer<typeof ContextSummary>;

/** Answer to `GET /v1/context`: a page, by name. */
export const ContextPage = z.strictObject({ artifacts: z.array(ContextSummary), nextCursor: z.string().optional() });
export type ContextPage = z.infer<typeof ContextPage>;

/** Answer to `DELETE /v1/context/artifacts/{name}`: the version that was the newest. */
export const ContextDeleted = z.strictObject({ name: ContextName, version });
export type ContextDeleted = z.infer<typeof ContextDeleted>;

/** What an attempt has read and written of the context store, in the order of its work. */
export const TaskContext = z.strictObject({
  read: z.array(ContextRef).max(CONTEXT_LIMITS.sources),
  written: z.array(ContextRef).max(CONTEXT_LIMITS.sources),
});
export type TaskContext = z.infer<typeof TaskContext>;
