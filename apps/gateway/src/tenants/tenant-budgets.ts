/** Sets caps of tenants with the owners of their shards. */
import { CadreError, type TenantId } from '@cadre/contracts';
import { setTenantBudget, type CommandSender } from '@cadre/engine';
import { v7 } from 'uuid';

export interface TenantBudgetsOptions {
  sender: CommandSender;
  /** Number of shards. */
  shards: number;
  /** How long to wait for all owners. */
  timeoutMs: number;
}

export class TenantBudgets {
  constructor(private readonly options: TenantBudgetsOptions) {}

  /** Returns when the cap holds in all shards. Errors: `unavailable` (retriable; may be repeated). */
  async set(tenant: TenantId, capMicros: number | null): Promise<void> {
    const { sender, shards, timeoutMs } = this.options;
    try {
      await setTenantBudget({ sender, shards, newId: v7, signal: AbortSignal.timeout(timeoutMs) }, tenant, capMicros);
    } catch (error) {
      if (!(error instanceof CadreError) || error.code !== 'commands-unanswered') throw error;
      throw new CadreError('unavailable', 'Not all orchestrators have answered in time; the cap may or may not hold yet.', {
        retriable: true,
        remedy: 'send the same request again',
        cause: error,
      });
    }
  }
}
