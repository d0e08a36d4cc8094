/** One watch of the definitions for all readers of a process, begun with the first. */
import type { TenantId } from '@cadre/contracts';
import type { ChannelStore } from './channel-ports.js';

export class ChannelWatch {
  readonly #listeners = new Map<string, Set<() => void>>();
  #begun: Promise<() => void> | undefined;

  constructor(private readonly store: Pick<ChannelStore, 'watch'>) {}

  /** @returns what ends it */
  async add(tenant: TenantId, name: string, changed: () => void): Promise<() => void> {
    this.#begun ??= this.store.watch((whose, which) => this.#tell(`${whose}.${which}`));
    try {
      await this.#begun;
    } catch (error) {
      this.#begun = undefined;
      throw error;
    }
    const key = `${tenant}.${name}`;
    const all = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, all.add(changed));
    return () => {
      all.delete(changed);
      if (all.size === 0 && this.#listeners.get(key) === all) this.#listeners.delete(key);
    };
  }

  async close(): Promise<void> {
    const stop = await this.#begun?.catch(() => undefined);
    this.#begun = undefined;
    stop?.();
  }

  #tell(key: string): void {
    for (const changed of this.#listeners.get(key) ?? []) changed();
  }
}
