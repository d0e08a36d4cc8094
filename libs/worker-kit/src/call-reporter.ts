/**
 * Sends the records of finished calls to the run's owner, a few at a time and in order, without holding up the agent. `drain` settles
 * once all are answered: the result goes after them.
 */
import type { CallRecord } from '@cadre/contracts';

const COLLECT_MS = 100;
const RECORDS_PER_COMMAND = 100;

export class CallReporter {
  private pending: CallRecord[] = [];
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<void> = Promise.resolve();

  /** @param send never rejects */
  constructor(private readonly send: (calls: CallRecord[]) => Promise<void>) {}

  add(record: CallRecord): void {
    this.pending.push(record);
    this.timer ??= setTimeout(() => void this.flush(), COLLECT_MS);
  }

  /** Settles when every record given so far is answered, or given up by `send`. */
  drain(): Promise<void> {
    return this.flush();
  }

  private flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.sending = this.sending.then(() => this.sendPending());
    return this.sending;
  }

  private async sendPending(): Promise<void> {
    while (this.pending.length > 0) await this.send(this.pending.splice(0, RECORDS_PER_COMMAND));
  }
}
