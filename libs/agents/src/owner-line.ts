/** What a worker says to the owner of a run about one attempt, and how the answers are to be understood. */
import { Assignment, CadreError, CallGrants, CompletionReply, MEMORY_TOOL, isPlainAssignment } from '@cadre/contracts';
import type {
  AgentDefinition,
  CallKey,
  CallReservation,
  CallSettlement,
  Command,
  CommandReply,
  Continuation,
  Delegation,
  FailAttempt,
  Failure,
  HeldAttempt,
  Json,
  Offer,
  TaskResult,
} from '@cadre/contracts';
import type { Chance, CommandSender, EndSignal } from '@cadre/engine';
import type { z } from 'zod';

/** `closed`: the attempt is not ours any more. `refused`: the owner does not take what was said. */
export type OwnerAnswer = { kind: 'taken' } | { kind: 'closed' } | { kind: 'refused'; message: string };
/** `next`: the worker goes on with it. */
export type CompleteAnswer = Exclude<OwnerAnswer, { kind: 'taken' }> | { kind: 'taken'; next?: Assignment[] };
export type RecordAnswer = { kind: 'recorded'; grants: CallGrants } | Exclude<OwnerAnswer, { kind: 'taken' }>;

type OfferedWith = Partial<Pick<Offer, 'insteadOf' | 'queuedMs' | 'figures'>>;

const CLOSED = new Set(['attempt-closed', 'attempt-taken', 'run-ended', 'unknown-run', 'unknown-task', 'run-conflict']);

/** Of a worker. `life`: new with each start, the epoch of its heartbeats. `modelTimeoutMs`: how long it lets one call of its model take. */
export interface WorkerTraits {
  life?: string;
  modelTimeoutMs?: number;
}

/** What the owner is told of the agent that does an attempt. Its memory is granted with its definition. */
export function grantOf(
  { name, tools: named, limits, memory }: AgentDefinition,
  { life, modelTimeoutMs }: WorkerTraits,
): Omit<Continuation, 'slots'> {
  const cap = limits.maxCostMicros;
  const tools = memory && !named.includes(MEMORY_TOOL) ? [...named, MEMORY_TOOL] : named;
  return {
    ...{ agent: name, tools },
    ...(cap !== undefined && { agentCapMicros: cap }),
    ...(life !== undefined && { life }),
    ...(modelTimeoutMs !== undefined && { modelTimeoutMs }),
  };
}

export class OwnerLine {
  /** @param signal ends the waiting for answers: `commands-unanswered` is thrown then */
  constructor(
    private readonly ports: { sender: CommandSender; chance: Chance },
    private readonly workerId: string,
    private readonly attempt: HeldAttempt,
    private readonly signal: EndSignal,
  ) {}

  /**
   * Binds the attempt to this worker; undefined when somebody else has it, or it is closed. Error: `assignment-invalid`.
   * @param offer what its offer said of it
   */
  async start(agent: AgentDefinition, worker: WorkerTraits, offer: OfferedWith = {}): Promise<Assignment | undefined> {
    const { insteadOf, queuedMs, figures } = offer;
    const offered = {
      ...(insteadOf !== undefined && { insteadOf }),
      ...(queuedMs !== undefined && { queuedMs }),
      ...(figures && { figures }),
    };
    const reply = await this.send({ type: 'StartAttempt', ...this.head(), ...grantOf(agent, worker), ...offered });
    if (reply.outcome === 'rejected' || reply.outcome === 'unavailable') return undefined;
    return isPlainAssignment(reply.result) ? reply.result : readAs(Assignment, reply.result);
  }

  /** Settles calls and asks for others. Error: `grants-invalid`. */
  async record(settle: CallSettlement[], reserve: CallReservation[]): Promise<RecordAnswer> {
    const { answer, reply } = await this.tell({ type: 'RecordCalls', ...this.head(), settle, reserve });
    if (answer.kind !== 'taken') return answer;
    const parsed = CallGrants.safeParse(reply?.outcome === 'accepted' || reply?.outcome === 'duplicate' ? reply.result : undefined);
    if (!parsed.success) throw new CadreError('grants-invalid', 'The answer to a reservation is not as this worker knows it.');
    return { kind: 'recorded', grants: parsed.data };
  }

  /**
   * @param next with which agent the worker would go on. Error `assignment-invalid`: the result is taken, but what to go on with is
   * unclear.
   */
  async complete(settle: CallSettlement[], result: TaskResult, next?: Continuation): Promise<CompleteAnswer> {
    const told = { type: 'CompleteAttempt' as const, ...this.head(), settle, result, ...(next && { next }) };
    const { answer, reply } = await this.tell(told);
    if (answer.kind !== 'taken' || reply === undefined || !('result' in reply) || reply.result === undefined) return answer;
    const given = (reply.result as { next?: unknown }).next;
    const isPlain = Array.isArray(given) && given.every(isPlainAssignment);
    return { kind: 'taken', next: isPlain ? given : readAs(CompletionReply, reply.result).next };
  }

  /** @param why see `FailAttempt` */
  async fail(settle: CallSettlement[], error: Failure, why: Pick<FailAttempt, 'fresh' | 'cause'>): Promise<OwnerAnswer> {
    return (await this.tell({ type: 'FailAttempt', ...this.head(), settle, error, ...why })).answer;
  }

  async release(settle: CallSettlement[]): Promise<OwnerAnswer> {
    return (await this.tell({ type: 'ReleaseAttempt', ...this.head(), settle })).answer;
  }

  /** Ends the attempt; `key` is the call that waits for the work. */
  async delegate(settle: CallSettlement[], key: CallKey, work: Delegation): Promise<OwnerAnswer> {
    return (await this.tell({ type: 'DelegateWork', ...this.head(), settle, key, ...work })).answer;
  }

  private head() {
    const { runId, taskId, attempt } = this.attempt;
    return { id: this.ports.chance.newId(), runId, taskId, attempt, workerId: this.workerId };
  }

  private async tell(command: Command): Promise<{ answer: OwnerAnswer; reply?: CommandReply }> {
    try {
      const reply = await this.send(command);
      if (reply.outcome !== 'rejected') return { answer: { kind: 'taken' }, reply };
      return { answer: CLOSED.has(reply.code) ? { kind: 'closed' } : { kind: 'refused', message: `${reply.code}: ${reply.message}` } };
    } catch (error) {
      if (error instanceof CadreError && !error.retriable) return { answer: { kind: 'refused', message: error.message } };
      throw error;
    }
  }

  private async send(command: Command): Promise<CommandReply> {
    const [reply] = await this.ports.sender.send([command], this.signal);
    return reply!;
  }
}

function readAs<T>(schema: z.ZodType<T>, result: Json | undefined): T {
  const parsed = schema.safeParse(result);
  if (parsed.success) return parsed.data;
  throw new CadreError('assignment-invalid', 'The assignment is not as this worker knows it; are all services of the same version?', {
    cause: parsed.error,
  });
}
