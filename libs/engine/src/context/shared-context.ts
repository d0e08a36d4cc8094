/**
 * The context store as its users see it: artifacts in versions, with what each of them may do. Access is decided here, outside of the
 * agents; whoever calls says for whom. A change is made from the record that was read, and begins anew when somebody else was first; its
 * key tells whether it has been made already.
 */
import { CadreError, CONTEXT_LIMITS } from '@cadre/contracts';
import type {
  AgentName,
  ContextAccess,
  ContextArtifactView,
  ContextAuthor,
  ContextGrants,
  ContextName,
  ContextPage,
  ContextRecord,
  ContextSummary,
  ContextVersion,
  TenantId,
} from '@cadre/contracts';
import type { Blobs, Chance, Clock } from '../ports.js';
import { agentOf, isAllowed } from './context-grants.js';
import { forgottenAfterMs, livingVersions, withoutVersions, withVersion } from './context-record.js';
import type { NewVersion, RecordChange, Removal } from './context-record.js';
import type { ContextRefusal } from './context-refusal.js';
import type { ContextStore } from './context-store.js';

/** Others may change the same artifact at the same time. */
const TRIES = 100;

export interface ContextCaller {
  tenant: TenantId;
  by: ContextAuthor;
}

export interface ContextParts {
  store: ContextStore;
  blobs: Blobs;
  clock: Pick<Clock, 'now' | 'after'>;
  chance: Pick<Chance, 'random'>;
}

export type ContextPut = Omit<NewVersion, 'by' | 'body'> & { bytes: Uint8Array; mediaType: string };

export interface ContextQuery {
  prefix?: string | undefined;
  tag?: string | undefined;
  /** Names after this one. */
  after?: string | undefined;
  /** 1 to 200. */
  limit: number;
}

type Refused = { ok: false; refusal: ContextRefusal };
export type PutEnd = { ok: true; version: number; sha256: string; isNew: boolean; artifact: ContextArtifactView | undefined } | Refused;
export type GetEnd = { ok: true; artifact: ContextArtifactView; version: ContextVersion } | Refused;
export type RemoveEnd = { ok: true; version: number } | Refused;

/** Errors of all methods: `store-unavailable` (retriable), and those of the bodies. */
export class SharedContext {
  constructor(private readonly parts: ContextParts) {}

  /** Keeps a version. With a key that has made one already it is that one, and `artifact` may have moved on or be gone. */
  async put(caller: ContextCaller, { bytes, mediaType, ...put }: ContextPut): Promise<PutEnd> {
    const { name } = put;
    const forbidden = await this.forbidden(caller, 'write', name);
    if (forbidden) return forbidden;
    if (bytes.length > CONTEXT_LIMITS.bodyBytes) return { ok: false, refusal: { kind: 'too-large', name, bytes: bytes.length } };
    const body = await this.parts.blobs.put(bytes, mediaType);
    const made = { ...put, by: caller.by, body };
    const end = await this.change(caller.tenant, name, (record, now) => withVersion(record, made, now));
    if (end?.kind === 'conflict') return conflict(name, put.expects, end.present);
    if (end === undefined) throw new Error('a put always has an end');
    const record = end.kind === 'changed' ? end.record : (await this.parts.store.read(caller.tenant, name)).record;
    const kept = record?.versions.find(({ version }) => version === end.version);
    if (kept && kept.body.sha256 !== body.sha256) return { ok: false, refusal: { kind: 'key-taken', name, version: kept.version } };
    const artifact = viewOf(record, this.parts.clock.now());
    return { ok: true, version: end.version, sha256: body.sha256, isNew: end.kind === 'changed', artifact };
  }

  /** @param version default: the newest */
  async get(caller: ContextCaller, name: ContextName, version?: number): Promise<GetEnd> {
    const forbidden = await this.forbidden(caller, 'read', name);
    if (forbidden) return forbidden;
    const artifact = viewOf((await this.parts.store.read(caller.tenant, name)).record, this.parts.clock.now());
    const found = artifact?.versions.find((each) => each.version === (version ?? artifact.version));
    if (artifact && found) return { ok: true, artifact, version: found };
    // Of an artifact that is not there it makes no difference which version was asked for.
    return { ok: false, refusal: { kind: 'not-found', name, ...(artifact && version !== undefined && { version }) } };
  }

  /** Errors, beside the others: `blob-missing`, `blob-corrupt`. */
  body({ body }: ContextVersion): Promise<Uint8Array> {
    return this.parts.blobs.get(body);
  }

  /** What the caller may read, by name. */
  async list({ tenant, by }: ContextCaller, { prefix = '', tag, after = '', limit }: ContextQuery): Promise<ContextPage> {
    const { store, clock } = this.parts;
    const grants = await this.grantsOf(tenant, by);
    const names = (await store.names(tenant, prefix)).filter((name) => name > after && isAllowed(by, 'read', name, grants));
    const artifacts: ContextSummary[] = [];
    // Some at a time: how many it takes to fill a page is known only when they are read.
    for (let at = 0; at < names.length && artifacts.length <= limit; at += limit) {
      const records = await Promise.all(names.slice(at, at + limit).map((name) => store.read(tenant, name)));
      artifacts.push(...records.flatMap(({ record }) => summaryOf(record, clock.now())).filter(({ tags }) => !tag || tags.includes(tag)));
    }
    const page = artifacts.slice(0, limit);
    return { artifacts: page, ...(artifacts.length > limit && { nextCursor: page.at(-1)!.name }) };
  }

  async remove(caller: ContextCaller, removal: Removal): Promise<RemoveEnd> {
    const { name, expects } = removal;
    const forbidden = await this.forbidden(caller, 'delete', name);
    if (forbidden) return forbidden;
    const end = await this.change(caller.tenant, name, (record, now) => withoutVersions(record, removal, now));
    if (end === undefined) return { ok: false, refusal: { kind: 'not-found', name } };
    return end.kind === 'conflict' ? conflict(name, expects, end.present) : { ok: true, version: end.version };
  }

  grants(tenant: TenantId): Promise<ContextGrants[]> {
    return this.parts.store.listGrants(tenant);
  }

  /** In the place of all that the agent had. Holds for calls that begin from now on. */
  async setGrants(tenant: TenantId, agent: AgentName, rules: ContextGrants['rules']): Promise<ContextGrants> {
    const grants = { agent, rules };
    await this.parts.store.writeGrants(tenant, grants);
    return grants;
  }

  private async forbidden(caller: ContextCaller, access: ContextAccess, name: ContextName): Promise<Refused | undefined> {
    const { tenant, by } = caller;
    if (isAllowed(by, access, name, await this.grantsOf(tenant, by))) return undefined;
    return { ok: false, refusal: { kind: 'forbidden', name, access, agent: agentOf(by) ?? '' } };
  }

  private async grantsOf(tenant: TenantId, by: ContextAuthor): Promise<ContextGrants | undefined> {
    const agent = agentOf(by);
    return agent === undefined ? undefined : this.parts.store.readGrants(tenant, agent);
  }

  private async change<C extends RecordChange | undefined>(
    tenant: TenantId,
    name: ContextName,
    decide: (record: ContextRecord | undefined, now: number) => C,
  ): Promise<C> {
    const { store, clock, chance } = this.parts;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const { record, revision } = await store.read(tenant, name);
      const now = clock.now();
      const change = decide(record, now);
      if (change?.kind !== 'changed') return change;
      const forgetAfterMs = forgottenAfterMs(change.record, now);
      if ((await store.write(tenant, change.record, revision, forgetAfterMs)) === 'written') return change;
      await new Promise<void>((resolve) => clock.after(chance.random() * Math.min(10 * (tries + 1), 200), resolve));
    }
    throw new CadreError('store-unavailable', `Others change ${name} in the context store all the time.`, {
      retriable: true,
      remedy: 'Try again.',
    });
  }
}

function conflict(name: ContextName, expects: number | undefined, present: number): Refused {
  return { ok: false, refusal: { kind: 'conflict', name, expects: expects ?? 0, present } };
}

function viewOf(record: ContextRecord | undefined, now: number): ContextArtifactView | undefined {
  const versions = livingVersions(record, now);
  const newest = versions.at(-1);
  if (record === undefined || newest === undefined) return undefined;
  const { last: _last, past: _past, ...rest } = record;
  return { ...rest, version: newest.version };
}

function summaryOf(record: ContextRecord | undefined, now: number): ContextSummary[] {
  const newest = livingVersions(record, now).at(-1);
  if (record === undefined || newest === undefined) return [];
  const { from: _from, key: _key, ...rest } = newest;
  return [{ ...rest, name: record.name, ...(record.expiresAt !== undefined && { expiresAt: record.expiresAt }) }];
}
