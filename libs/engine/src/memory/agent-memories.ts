/**
 * What agents remember, as workers and people use it. A change is made from the record that was read, and begins anew when somebody else
 * was first, so that two who add at once lose nothing. Who may read whose memory is decided here, by what the owner's worker has kept with
 * it.
 */
import { CadreError, MEMORY_LIMITS } from '@cadre/contracts';
import type { AgentName, MemoryRecord, MemorySettings, RunId, TenantId } from '@cadre/contracts';
import type { Chance, Clock } from '../ports.js';
import { cleared, compacted, emptyMemory, withExchange } from './memory-record.js';
import type { Compaction, Exchange, MemoryOwner } from './memory-record.js';
import type { MemoryStore } from './memory-store.js';

/** Others may change the same memory at the same time. */
const TRIES = 100;

export interface MemoryParts {
  store: MemoryStore;
  clock: Pick<Clock, 'after'>;
  chance: Pick<Chance, 'random'>;
}

/** Who asks for a memory, in which run. */
export interface MemoryAsker {
  tenant: TenantId;
  agent: AgentName;
  runId: RunId;
}

/** Errors of all methods: `store-unavailable` (retriable). */
export class AgentMemories {
  constructor(private readonly parts: MemoryParts) {}

  /** The agent's own, for its next task; undefined: it has none. Whom it is shared with is from now on what the owner says. */
  async open(tenant: TenantId, owner: MemoryOwner): Promise<MemoryRecord | undefined> {
    const { agent, runId, shareWith } = owner;
    const { record } = await this.parts.store.read(tenant, agent, runId);
    if (record === undefined || sameNames(record.shareWith, shareWith)) return record;
    return this.change(tenant, owner, (now) => (now && !sameNames(now.shareWith, shareWith) ? { ...now, shareWith } : undefined));
  }

  /** Adds an exchange, once. */
  async add(tenant: TenantId, owner: MemoryOwner, exchange: Exchange): Promise<void> {
    await this.change(tenant, owner, (record) => {
      const added = withExchange(record ?? emptyMemory(owner), exchange);
      return added && { ...added, shareWith: owner.shareWith };
    });
  }

  /** Puts a summary in the place of messages, unless somebody else has done so: then what is there is as good. */
  async compact(tenant: TenantId, owner: MemoryOwner, compaction: Compaction, settings: MemorySettings): Promise<void> {
    await this.change(tenant, owner, (record) => record && compacted(record, compaction, settings));
  }

  /** As people see it. @param runId left out: the memory of all runs */
  async look(tenant: TenantId, agent: AgentName, runId?: RunId): Promise<MemoryRecord | undefined> {
    const { record } = await this.parts.store.read(tenant, agent, runId);
    return record && isEmpty(record) ? undefined : record;
  }

  /** @returns what it held; undefined: nothing */
  async clear(tenant: TenantId, agent: AgentName, runId?: RunId): Promise<MemoryRecord | undefined> {
    let held: MemoryRecord | undefined;
    await this.change(
      tenant,
      { agent, ...(runId !== undefined && { runId }) },
      (record) => {
        held = record && !isEmpty(record) ? record : undefined;
        return held && cleared(held);
      },
      MEMORY_LIMITS.clearedTtlMs,
    );
    return held;
  }

  /**
   * Another agent's memory, or one's own: that of the run, else that of all runs. `undefined`: there is none that the asker may read; which
   * of the two it is the asker is not told.
   */
  async recall({ tenant, agent: asker, runId }: MemoryAsker, agent: AgentName): Promise<MemoryRecord | undefined> {
    for (const run of [runId, undefined]) {
      const record = await this.look(tenant, agent, run);
      if (record && (agent === asker || record.shareWith.includes(asker))) return record;
    }
    return undefined;
  }

  /** @param decide undefined: it stays as it is @returns as it is then */
  private async change(
    tenant: TenantId,
    { agent, runId }: Pick<MemoryOwner, 'agent' | 'runId'>,
    decide: (record: MemoryRecord | undefined) => MemoryRecord | undefined,
    forgetAfterMs = runId === undefined ? undefined : MEMORY_LIMITS.runTtlMs,
  ): Promise<MemoryRecord | undefined> {
    const { store, clock, chance } = this.parts;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const { record, revision } = await store.read(tenant, agent, runId);
      const changed = decide(record);
      if (changed === undefined) return record;
      if ((await store.write(tenant, changed, revision, forgetAfterMs)) === 'written') return changed;
      await new Promise<void>((resolve) => clock.after(chance.random() * Math.min(10 * (tries + 1), 200), resolve));
    }
    throw new CadreError('store-unavailable', `Others change the memory of ${agent} all the time.`, {
      retriable: true,
      remedy: 'Try again.',
    });
  }
}

function isEmpty({ summary, messages }: MemoryRecord): boolean {
  return summary === undefined && messages.length === 0;
}

function sameNames(a: readonly AgentName[], b: readonly AgentName[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}
