/** Results that stand for later ones, in memory. */
import type { KeptResult, TenantId } from '@cadre/contracts';
import type { ResultCache } from '../ports.js';

export class MemoryResultCache implements ResultCache {
  readonly #entries = new Map<string, string>();

  /** @param now milliseconds since 1970 */
  constructor(private readonly now: () => number) {}

  async get(tenant: TenantId, key: string): Promise<KeptResult | undefined> {
    const entry = this.#entries.get(`${tenant}.${key}`);
    const kept = entry === undefined ? undefined : (JSON.parse(entry) as KeptResult);
    return kept !== undefined && kept.until > this.now() ? kept : undefined;
  }

  async put(tenant: TenantId, key: string, kept: KeptResult): Promise<void> {
    this.#entries.set(`${tenant}.${key}`, JSON.stringify(kept));
  }
}
