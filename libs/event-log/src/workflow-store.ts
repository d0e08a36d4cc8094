/** Definitions of workflows in a KV bucket: a key for each version, which is written once. */
import { BUCKETS, CadreError, WorkflowVersion, type TenantId, type Workflow, type WorkflowList, type WorkflowName } from '@cadre/contracts';
import { Kvm, KvWatchInclude, type KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { storeUnavailable } from './errors.js';

/** Others may take the next number at the same time. */
const TRIES = 20;

export class WorkflowStore {
  private constructor(private readonly kv: KV) {}

  /** The bucket must exist: see `ensureTopology`. */
  static async open(nats: NatsConnection): Promise<WorkflowStore> {
    return new WorkflowStore(await asked(() => new Kvm(nats).open(BUCKETS.definitions)));
  }

  /**
   * Keeps a definition as the next version; one that is the same as the newest stays that version. Errors (all methods):
   * `store-unavailable` (retriable).
   * @returns the version, and whether it is new
   */
  async put(tenant: TenantId, workflow: Workflow, now: number): Promise<{ kept: WorkflowVersion; isNew: boolean }> {
    const { name } = workflow.metadata;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const newest = await this.get(tenant, name);
      if (newest && JSON.stringify(newest.workflow) === JSON.stringify(workflow)) return { kept: newest, isNew: false };
      const kept = { name, version: (newest?.version ?? 0) + 1, createdAt: now, workflow };
      if (await this.#create(keyOf(tenant, name, kept.version), kept)) return { kept, isNew: true };
    }
    throw new CadreError('store-unavailable', `Others keep versions of ${name} all the time.`, { retriable: true, remedy: 'try again' });
  }

  /** @param version default: the newest */
  async get(tenant: TenantId, name: WorkflowName, version?: number): Promise<WorkflowVersion | undefined> {
    const wanted = version ?? (await this.#newest(`${tenant}.${name}.*`)).get(name);
    return wanted === undefined ? undefined : this.#read(keyOf(tenant, name, wanted));
  }

  /** The newest version of each, by name. */
  async list(tenant: TenantId): Promise<WorkflowList['workflows']> {
    const names = [...(await this.#newest(`${tenant}.*.*`))].sort(([a], [b]) => (a < b ? -1 : 1));
    const found = await Promise.all(names.map(([name, version]) => this.#read(keyOf(tenant, name, version))));
    return found.flatMap((each) => {
      if (each === undefined) return [];
      const { name, version, createdAt, workflow } = each;
      const { description } = workflow.metadata;
      return [{ name, version, createdAt, ...(description === undefined ? {} : { description }) }];
    });
  }

  /**
   * The newest version of each workflow, and from then on each version as it is kept; the same one may come twice.
   * @returns what ends it, once what was kept before has been taken
   */
  async watch(take: (tenant: TenantId, kept: WorkflowVersion) => void): Promise<() => void> {
    const entries = await asked(() => this.kv.watch({ include: KvWatchInclude.UpdatesOnly }));
    const takeKey = (key: string, kept: WorkflowVersion): void => take(key.slice(0, key.indexOf('.')), kept);
    void (async () => {
      for await (const entry of entries) {
        const kept = entry.operation === 'PUT' ? WorkflowVersion.safeParse(entry.json()) : undefined;
        if (kept?.success) takeKey(entry.key, kept.data);
      }
    })();
    const newest = [...(await this.#newest('*.*.*', keyOfWorkflow))].map(([key, version]) => `${key}.${version}`);
    const found = await Promise.all(newest.map(async (key) => [key, await this.#read(key)] as const));
    for (const [key, kept] of found) if (kept) takeKey(key, kept);
    return () => entries.stop();
  }

  async #newest(filter: string, nameOf = (key: string) => key.split('.')[1] ?? ''): Promise<Map<string, number>> {
    const newest = new Map<string, number>();
    const keys = await asked(async () => {
      const found: string[] = [];
      for await (const key of await this.kv.keys(filter)) found.push(key);
      return found;
    });
    for (const key of keys) {
      const name = nameOf(key);
      newest.set(name, Math.max(newest.get(name) ?? 0, Number(key.split('.')[2])));
    }
    return newest;
  }

  async #read(key: string): Promise<WorkflowVersion | undefined> {
    const entry = await asked(() => this.kv.get(key));
    return entry === null ? undefined : WorkflowVersion.parse(entry.json());
  }

  /** @returns false when the key is taken */
  async #create(key: string, value: WorkflowVersion): Promise<boolean> {
    try {
      await this.kv.create(key, JSON.stringify(value));
      return true;
    } catch (cause) {
      if ((await asked(() => this.kv.get(key))) !== null) return false;
      throw storeUnavailable('the store of definitions', cause);
    }
  }
}

const keyOfWorkflow = (key: string): string => key.slice(0, key.lastIndexOf('.'));
const keyOf = (tenant: TenantId, name: WorkflowName, version: number): string => `${tenant}.${name}.${version}`;

async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    throw storeUnavailable('the store of definitions', cause);
  }
}
