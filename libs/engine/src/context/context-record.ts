/** What becomes of an artifact's record: the rules of versions, as functions of the record and the time. */
import { CONTEXT_LIMITS } from '@cadre/contracts';
import type {
  BlobRef,
  ContextAuthor,
  ContextKey,
  ContextName,
  ContextRecord,
  ContextSettings,
  ContextSource,
  ContextVersion,
} from '@cadre/contracts';

/** How long a record without versions is remembered, so that a repetition is recognised and numbers go on. */
const REMEMBERED_MS = 86_400_000;

export interface NewVersion extends ContextSettings {
  name: ContextName;
  key: ContextKey;
  by: ContextAuthor;
  body: BlobRef;
  from: ContextSource[];
}

export interface Removal {
  name: ContextName;
  key: ContextKey;
  expects?: number | undefined;
}

/** `repeated`: the key has made this version before. `conflict`: another version is the newest; 0: there is none. */
export type RecordChange =
  | { kind: 'changed'; record: ContextRecord; version: number }
  | { kind: 'repeated'; version: number }
  | { kind: 'conflict'; present: number };

/** Those that are there at that time, oldest first. */
export function livingVersions(record: ContextRecord | undefined, now: number): ContextVersion[] {
  if (record === undefined || (record.expiresAt !== undefined && record.expiresAt <= now)) return [];
  return record.versions;
}

/** The newest version; 0: there is none. */
export function presentVersion(record: ContextRecord | undefined, now: number): number {
  return livingVersions(record, now).at(-1)?.version ?? 0;
}

/** Adds a version, and drops those that are too many. */
export function withVersion(record: ContextRecord | undefined, put: NewVersion, now: number): RecordChange {
  const made = madeBy(record, put.key);
  if (made !== undefined) return { kind: 'repeated', version: made };
  const present = presentVersion(record, now);
  if (put.expects !== undefined && put.expects !== present) return { kind: 'conflict', present };
  const { name, by, key, body, tags, from } = put;
  const version = (record?.last ?? 0) + 1;
  const keep = put.keep ?? record?.keep ?? CONTEXT_LIMITS.keepDefault;
  const ttlMs = put.ttlMs === undefined ? record?.ttlMs : (put.ttlMs ?? undefined);
  const versions = [...livingVersions(record, now), { version, at: now, by, key, body, tags, from }];
  const changed: ContextRecord = {
    ...{ name, last: version, keep, versions: versions.slice(-keep) },
    past: pastOf(record, now, versions.slice(0, -keep)),
    ...(ttlMs !== undefined && { ttlMs, expiresAt: now + ttlMs }),
  };
  return { kind: 'changed', record: changed, version };
}

/** Drops all versions. Undefined: there are none. */
export function withoutVersions(record: ContextRecord | undefined, { key, expects }: Removal, now: number): RecordChange | undefined {
  const made = madeBy(record, key);
  if (made !== undefined) return { kind: 'repeated', version: made };
  const present = presentVersion(record, now);
  if (record === undefined || present === 0) return undefined;
  if (expects !== undefined && expects !== present) return { kind: 'conflict', present };
  const { name, last, keep } = record;
  const past = [...pastOf(record, now, record.versions), { key, version: present }].slice(-CONTEXT_LIMITS.pastKeys);
  return { kind: 'changed', record: { name, last, keep, versions: [], past }, version: present };
}

/** When nobody needs the record any more, in milliseconds from now; undefined: never. */
export function forgottenAfterMs({ versions, expiresAt }: ContextRecord, now: number): number | undefined {
  if (versions.length === 0) return REMEMBERED_MS;
  return expiresAt === undefined ? undefined : expiresAt - now + REMEMBERED_MS;
}

function madeBy(record: ContextRecord | undefined, key: ContextKey): number | undefined {
  return [...(record?.versions ?? []), ...(record?.past ?? [])].find((each) => each.key === key)?.version;
}

/** An expired record's versions are past as well. */
function pastOf(record: ContextRecord | undefined, now: number, dropped: ContextVersion[]): ContextRecord['past'] {
  const expired = livingVersions(record, now).length === 0 ? (record?.versions ?? []) : [];
  const added = new Map([...expired, ...dropped].map(({ key, version }) => [key, version]));
  return [...(record?.past ?? []), ...[...added].map(([key, version]) => ({ key, version }))].slice(-CONTEXT_LIMITS.pastKeys);
}
