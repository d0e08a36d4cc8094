/** What a worker says to the owner of a run about one attempt, and how the answers are to be understood. */
import { randomUUID } from 'node:crypto';
import { Assignment, CadreError } from '@cadre/contracts';
import type { CallRecord, Command, CommandReply, Failure, Offer, TaskResult, Usage } from '@cadre/contracts';
import type { CommandSender } from '@cadre/engine';

/** `closed`: the attempt is not ours any more. `refused`: the owner does not take what was said. */
export type OwnerAnswer = { kind: 'taken' } | { kind: 'closed' } | { kind: 'refused'; message: string };

const CLOSED = new Set(['attempt-closed', 'attempt-taken', 'run-ended', 'unknown-run', 'unknown-task', 'run-conflict']);

export class OwnerLine {
  private traceparent: string | undefined;

  /** @param signal ends the waiting for answers: `commands-unanswered` is thrown then */
  constructor(
    private readonly sender: CommandSender,
    private readonly workerId: string,
    private readonly offer: Offer,
    private readonly signal: AbortSignal,
  ) {}

  /** What follows belongs to this span. */
  follow(traceparent: string): void {
    this.traceparent = traceparent;
  }

  /** Binds the attempt to this worker; undefined when somebody else has it, or it is closed. Error: `assignment-invalid`. */
  async start(): Promise<Assignment | undefined> {
    const reply = await this.send({ type: 'StartAttempt', ...this.head(), agent: this.offer.agent });
    if (reply.outcome === 'rejected' || reply.outcome === 'unavailable') return undefined;
    const parsed = Assignment.safeParse(reply.result);
    if (parsed.success) return parsed.data;
    throw new CadreError('assignment-invalid', 'The assignment is not as this worker knows it; are all services of the same version?', {
      cause: parsed.error,
    });
  }

  record(calls: CallRecord[]): Promise<OwnerAnswer> {
    return this.tell({ type: 'RecordCalls', ...this.head(), calls });
  }

  complete(result: TaskResult): Promise<OwnerAnswer> {
    return this.tell({ type: 'CompleteAttempt', ...this.head(), result });
  }

  fail(error: Failure, usage: Usage): Promise<OwnerAnswer> {
    return this.tell({ type: 'FailAttempt', ...this.head(), error, usage });
  }

  release(usage: Usage): Promise<OwnerAnswer> {
    return this.tell({ type: 'ReleaseAttempt', ...this.head(), usage });
  }

  private head() {
    const { runId, taskId, attempt } = this.offer;
    return {
      id: randomUUID(),
      runId,
      taskId,
      attempt,
      workerId: this.workerId,
      ...(this.traceparent && { traceparent: this.traceparent }),
    };
  }

  private async tell(command: Command): Promise<OwnerAnswer> {
    try {
      const reply = await this.send(command);
      if (reply.outcome !== 'rejected') return { kind: 'taken' };
      return CLOSED.has(reply.code) ? { kind: 'closed' } : { kind: 'refused', message: `${reply.code}: ${reply.message}` };
    } catch (error) {
      if (error instanceof CadreError && !error.retriable) return { kind: 'refused', message: error.message };
      throw error;
    }
  }

  private async send(command: Command): Promise<CommandReply> {
    const [reply] = await this.sender.send([command], this.signal);
    return reply!;
  }
}
