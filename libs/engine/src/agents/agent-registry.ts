/** Defines, changes and removes agents at run time, one tenant's apart from another's. */
import { AGENT_LIMITS, CadreError } from '@cadre/contracts';
import type { AgentName, AgentRecord, DefinedAgent, TenantId } from '@cadre/contracts';
import type { Clock } from '../ports.js';
import type { AgentStore, StoredAgent } from './agent-store.js';

/** `taken`: another tenant has the name. `full`: the tenant has as many as it may, `names`: with those removed of late. */
export type DefineAgentEnd =
  | { ok: true; stored: AgentRecord; change: 'new' | 'changed' | 'same' }
  | { ok: false; why: 'taken' }
  | { ok: false; why: 'full' | 'names'; most: number };
export type RemoveAgentEnd = { ok: true; stored: AgentRecord } | { ok: false; why: 'unknown' };

/** Others may write the same name at the same time. */
const TRIES = 20;

/** Errors of all methods: `store-unavailable`. */
export class AgentRegistry {
  constructor(
    private readonly store: AgentStore,
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

  /** Makes an agent, or its next version; the same as the newest stays that version. */
  define(tenant: TenantId, name: AgentName, definition: DefinedAgent): Promise<DefineAgentEnd> {
    return this.persistently(name, async () => {
      const { revision, record: known } = await this.store.read(name);
      if (known && known.tenant !== tenant) return { ok: false, why: 'taken' };
      if (known?.definition && JSON.stringify(known.definition) === JSON.stringify(definition))
        return { ok: true, stored: known, change: 'same' };
      const full = known?.definition ? undefined : await this.noRoom(tenant, known !== undefined);
      if (full) return full;
      const stored = { tenant, name, version: (known?.version ?? 0) + 1, changedAt: this.clock.now(), definition };
      if ((await this.store.write(stored, revision)) === 'changed') return undefined;
      return { ok: true, stored, change: known?.definition ? 'changed' : 'new' };
    });
  }

  /**
   * Removes an agent. Of one that is removed already it says who gets its tasks, if that was not said before or is said otherwise.
   * @param handTo who gets the tasks that ask for it by name; undefined: they wait, or go on to whom was said before
   */
  remove(tenant: TenantId, name: AgentName, handTo?: AgentName): Promise<RemoveAgentEnd> {
    return this.persistently(name, async () => {
      const { revision, record: known } = await this.store.read(name);
      if (known?.tenant !== tenant) return { ok: false, why: 'unknown' };
      if (!known.definition && (handTo === undefined || known.handTo === handTo)) return { ok: true, stored: known };
      const { version } = known;
      const stored = { tenant, name, version, changedAt: this.clock.now(), ...(handTo === undefined ? {} : { handTo }) };
      if ((await this.store.write(stored, revision, AGENT_LIMITS.forgetAfterMs)) === 'changed') return undefined;
      return { ok: true, stored };
    });
  }

  /** Undefined: never defined, or by another tenant. */
  async get(tenant: TenantId, name: AgentName): Promise<StoredAgent | undefined> {
    const { revision, record } = await this.store.read(name);
    return record?.tenant === tenant ? { revision, record } : undefined;
  }

  /** With those that were removed, by name. */
  async list(tenant: TenantId): Promise<StoredAgent[]> {
    return (await this.store.list()).filter(({ record }) => record.tenant === tenant);
  }

  private async noRoom(tenant: TenantId, isKnown: boolean): Promise<DefineAgentEnd | undefined> {
    const all = await this.list(tenant);
    const defined = all.filter(({ record }) => record.definition !== undefined).length;
    if (defined >= AGENT_LIMITS.defined) return { ok: false, why: 'full', most: AGENT_LIMITS.defined };
    if (!isKnown && all.length >= AGENT_LIMITS.names) return { ok: false, why: 'names', most: AGENT_LIMITS.names };
    return undefined;
  }

  /** @param change undefined: somebody else was first */
  private async persistently<T>(name: AgentName, change: () => Promise<T | undefined>): Promise<T> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const end = await change();
      if (end !== undefined) return end;
    }
    throw new CadreError('store-unavailable', `Others change the agent ${name} all the time.`, { retriable: true, remedy: 'try again' });
  }
}
