/**
 * One attempt on this worker, from the offer to the answered report. The agent's work can be stopped for five reasons, which differ in what
 * is told to the owner: out of time and cancelled (a failure), handed back at shutdown (a release), closed from outside (nothing), and the
 * end of the process (nothing more can be told).
 */
import { CadreError } from '@cadre/contracts';
import type { AgentDefinition, Assignment, Continuation, Failure, HeldAttempt, Offer, TaskResult } from '@cadre/contracts';
import { abortError, attemptClosed, failureOf, untilAborted } from './abort.js';
import { isWaitedFor } from './call-retry.js';
import { CallDesk } from './call-desk.js';
import { Ending } from './ending.js';
import { storeApart, storeText } from './content.js';
import { checkedAnswer } from './result-schema.js';
import { ResultReuse } from './result-reuse.js';
import type { CacheLook, CacheMeans } from './result-reuse.js';
import { sharedArtifacts } from './shared-artifacts.js';
import { agentForTask } from './task-agent.js';
import { OwnerLine, grantOf } from './owner-line.js';
import type { OwnerAnswer, WorkerTraits } from './owner-line.js';
import type { Performer, Work } from './performer.js';
import type { CallRequest, MadeCall } from './settlement.js';
import { timeLimitOf } from './time-limit.js';
import type { WorkerPorts } from './worker-ports.js';

/**
 * How an attempt ended, as seen from the worker. `delegated`: its task waits for others. `dropped`: it was closed from outside. `refused`:
 * it was never ours.
 */
export type WorkEnding = 'completed' | 'failed' | 'released' | 'delegated' | 'dropped' | 'refused';

/** What is told to people. None of these may throw. */
export interface WorkReports {
  begun?(attempt: HeldAttempt, agent: string, assignment: Assignment, traceparent: string | undefined): void;
  ended(attempt: HeldAttempt, agent: string, ending: WorkEnding, tookMs: number, error?: Failure): void;
  /** A call that was made here, and one that was taken from the record. */
  made?(call: MadeCall): void;
  recorded?(call: CallRequest): void;
  /** An earlier result was looked for that could stand for this attempt's. */
  looked?(agent: string, look: CacheLook): void;
  /** Something that should not be. */
  trouble(attempt: HeldAttempt, what: string, error: unknown): void;
}

/** What all attempts of a worker share. */
export interface WorkSurroundings extends WorkerPorts, WorkerTraits {
  workerId: string;
  /** Who does the work of an agent. */
  performerOf(agent: AgentDefinition): Performer;
  /** Left out: no result stands for another. */
  cache?: CacheMeans;
  reports: WorkReports;
  /** Runs the work of an attempt in a span of its own. */
  span?<T>(assignment: Assignment, agent: AgentDefinition, work: (traceparent: string) => Promise<T>): Promise<T>;
}

/** What an attempt begins with: an offer, which has to be bound by the log first, or what the worker goes on with. */
export type Given = { offer: Offer } | { assignment: Assignment };

/** The slot that the attempt has. Asked when the work is done. */
export interface Slot {
  /** How many tasks the worker would go on with, of those that the result makes ready. */
  room(): number;
  /** It is needed no more: what is left is to tell how the attempt ended. */
  free(): void;
}

const NO_SLOT: Slot = { room: () => 0, free: () => undefined };

type Close = () => void | Promise<void>;
/** `keep`: leaves the result for later tasks, once it has counted. */
type Product = { kind: 'completed'; result: TaskResult; keep?: () => void } | { kind: 'failed'; error: Failure };

const RELEASED = {
  shutdown: 'The worker shuts down and hands its work back.',
  removed: 'The agent was removed, and its work is handed back.',
} as const;

/** The content is at fault: to resume from it would lead to the same end. */
const FRESH: ReadonlySet<string> = new Set([
  'malformed-output',
  'no-tool-called',
  'step-limit',
  'token-limit',
  'plan-invalid',
  'model-refused',
  'result-refused',
  'result-invalid',
  'artifact-missing',
]);

export class AttemptWork {
  readonly held: HeldAttempt;
  private readonly stopper = new Ending();
  private readonly silence = new Ending();
  private readonly line: OwnerLine;
  private unwanted = false;
  private delegated = false;
  /** The attempt's time was up, and it was the default one. */
  private outOfDefault = false;
  /** The model server is in trouble that passes by itself. */
  private waitsForServer = false;
  private failure: Failure | undefined;
  /** What the worker has to go on with, once this has ended. */
  next: Assignment[] = [];

  constructor(
    private readonly given: Given,
    private readonly agent: AgentDefinition,
    private readonly around: WorkSurroundings,
    private readonly slot: Slot = NO_SLOT,
  ) {
    const { runId, taskId, attempt } = 'offer' in given ? given.offer : given.assignment;
    this.held = { runId, taskId, attempt };
    this.line = new OwnerLine(around, around.workerId, this.held, this.silence);
  }

  /** The attempt is closed from outside: stop, and tell nobody. */
  drop(): void {
    this.unwanted = true;
    this.silence.abort();
    this.stopper.abort(attemptClosed());
  }

  /** The run is being cancelled: stop, settle what was underway, and say so. */
  cancel(): void {
    this.stopper.abort(new CadreError('cancelled', 'The run is being cancelled.'));
  }

  get agentName(): string {
    return this.agent.name;
  }

  /** Stop, and hand the attempt back. */
  release(why: keyof typeof RELEASED = 'shutdown'): void {
    this.stopper.abort(new CadreError('released', RELEASED[why], { retriable: true }));
  }

  /** Do not wait for answers any longer: the process ends. */
  giveUp(): void {
    this.silence.abort();
  }

  /** Never rejects. */
  async run(): Promise<WorkEnding> {
    const { clock, reports } = this.around;
    const startedAt = clock.now();
    const ending = await this.begin().catch((error: unknown): WorkEnding => {
      if (this.unwanted) return 'dropped';
      reports.trouble(this.held, 'the end of the attempt could not be told to its owner', error);
      return 'failed';
    });
    reports.ended(this.held, this.agent.name, ending, clock.now() - startedAt, this.failure);
    return ending;
  }

  private async begin(): Promise<WorkEnding> {
    const { at, span } = this.around;
    let assignment: Assignment | undefined;
    try {
      assignment = 'assignment' in this.given ? this.given.assignment : await this.start(this.given.offer);
    } catch (error) {
      if (!(error instanceof CadreError) || error.code !== 'assignment-invalid') throw error;
      return this.tellFailure([], failureOf(error, 'assignment-invalid'));
    }
    if (!assignment) return 'refused';
    at?.('worker-attempt-started');
    const bound = assignment;
    if (!span) return this.work(bound, bound.traceparent);
    return span(bound, this.agent, (traceparent) => this.work(bound, traceparent));
  }

  private start(offer: Offer): Promise<Assignment | undefined> {
    return this.line.start(this.agent, this.around, offer);
  }

  private async work(assignment: Assignment, traceparent: string | undefined): Promise<WorkEnding> {
    this.around.reports.begun?.(this.held, this.agent.name, assignment, traceparent);
    const closers: Close[] = [];
    let over = false;
    // Whoever is stopped while opening something says so when nobody waits any more.
    const onClose = (close: Close) => void (over ? this.closeQuietly(close) : closers.push(close));
    const calls = this.callDesk(assignment);
    const intime = this.limitTime(assignment);
    try {
      const product = await this.produce(assignment, calls, onClose, traceparent);
      intime();
      // What the performer left unfinished is stopped, and settled as what it is.
      if (calls.busy) this.stopper.abort(new CadreError('aborted', 'The attempt has ended.'));
      return await this.report(product, await calls.close());
    } finally {
      intime();
      over = true;
      for (const close of closers.reverse()) await this.closeQuietly(close);
    }
  }

  private callDesk(assignment: Assignment): CallDesk {
    const { reports } = this.around;
    return new CallDesk({
      line: this.line,
      ports: this.around,
      assignment,
      signal: this.stopper,
      onCall: (call) => reports.made?.(call),
      onRecorded: (call) => reports.recorded?.(call),
      onClosed: () => this.drop(),
      onDelegated: () => void (this.delegated = true),
    });
  }

  /** @returns what ends the limit */
  private limitTime(assignment: Assignment): () => void {
    const { clock } = this.around;
    const leftMs = assignment.deadlineAt - clock.now();
    const { ms, error, isDefault } = timeLimitOf(assignment, this.agent, leftMs);
    return clock.after(Math.max(0, ms), () => {
      this.outOfDefault = isDefault;
      this.stopper.abort(error);
    });
  }

  /** The agent's work, as a result that is ready to be told. Never rejects. */
  private async produce(
    assignment: Assignment,
    calls: CallDesk,
    onClose: Work['onClose'],
    traceparent: string | undefined,
  ): Promise<Product> {
    const { stopper, given } = this;
    const agent = agentForTask(this.agent, assignment);
    const catalogue = 'offer' in given ? given.offer.catalogue : undefined;
    const work = {
      ...{ assignment, agent, calls },
      get signal() {
        return stopper.signal;
      },
      onClose,
      ...(catalogue && { catalogue }),
      ...(traceparent !== undefined && { traceparent }),
    };
    try {
      if (stopper.aborted) throw abortError(stopper);
      const reuse = this.reuseOf(assignment, agent);
      const earlier = reuse && (await untilAborted(reuse.find(), stopper));
      if (earlier) return { kind: 'completed', result: earlier };
      const result = await untilAborted(this.perform(work), stopper);
      return { kind: 'completed', result, ...(reuse && { keep: () => reuse.keep(result, calls.reusable) }) };
    } catch (error) {
      const why = stopper.aborted ? abortError(stopper) : error;
      this.waitsForServer = why instanceof CadreError && isWaitedFor(why, assignment.waited ?? 0);
      return { kind: 'failed', error: failureOf(why, 'attempt-failed') };
    }
  }

  /** Of an attempt whose result may be an earlier one's. What comes of a memory holds for this moment. */
  private reuseOf(assignment: Assignment, agent: AgentDefinition): ResultReuse | undefined {
    const { around, held } = this;
    if (!assignment.cache || !around.cache || agent.memory) return undefined;
    return new ResultReuse(assignment, assignment.cache, agent, {
      ...{ ports: around, means: around.cache },
      looked: (look) => around.reports.looked?.(agent.name, look),
      trouble: (what, error) => around.reports.trouble(held, what, error),
    });
  }

  private async perform(work: Work): Promise<TaskResult> {
    const { around, agent } = this;
    const performed = await around.performerOf(agent)(work);
    const { answer, confidence, mark, missing, artifacts = [], context, plan, degradedTo, reducedTo, thinking } = performed;
    const labels = {
      ...(mark && { mark }),
      ...(missing && { missing }),
      ...(context && { context }),
      ...(work.assignment.collectThinking &&
        thinking && { thinking: await storeApart(JSON.stringify(thinking), 'application/json', around.blobs) }),
      ...(degradedTo !== undefined && { degradedTo }),
      ...(reducedTo && { reducedTo }),
      ...(plan && { plan: { ...plan, source: 'model' as const } }),
    };
    const checked = checkedAnswer(work.assignment, answer);
    const shared = sharedArtifacts(work.assignment, artifacts);
    const sure = confidence === undefined ? {} : { confidence };
    return { answer: await storeText(checked, around.blobs), ...sure, artifacts: shared, ...labels };
  }

  private async report(product: Product, settle: Parameters<OwnerLine['fail']>[0]): Promise<WorkEnding> {
    if (this.unwanted) return this.delegated ? 'delegated' : 'dropped';
    const { at } = this.around;
    if (product.kind === 'completed') {
      at?.('worker-before-complete');
      const continuation = this.continuation();
      const answering = this.line.complete(settle, product.result, continuation);
      // What it goes on with has the slot.
      if (!continuation) this.slot.free();
      const answer = await answering;
      at?.('worker-after-complete');
      if (answer.kind === 'taken') {
        this.next = answer.next ?? [];
        product.keep?.();
      }
      if (answer.kind !== 'refused') return this.endingOf(answer, 'completed');
      const message = `The result was not accepted: ${answer.message}`.slice(0, 4000);
      return this.tellFailure(settle, { code: 'result-refused', message, retriable: false });
    }
    if (product.error.code === 'released') return this.endingOf(await this.line.release(settle), 'released');
    return this.tellFailure(settle, product.error);
  }

  private continuation(): Continuation | undefined {
    const slots = this.slot.room();
    return slots > 0 ? { ...grantOf(this.agent, this.around), slots } : undefined;
  }

  private async tellFailure(settle: Parameters<OwnerLine['fail']>[0], error: Failure): Promise<WorkEnding> {
    this.failure = error;
    const isLate = this.outOfDefault && error.code === 'time-limit';
    const cause = this.waitsForServer ? 'server' : isLate ? 'time' : undefined;
    const why = { fresh: FRESH.has(error.code), ...(cause && ({ cause } as const)) };
    return this.endingOf(await this.line.fail(settle, error, why), 'failed');
  }

  private endingOf(answer: OwnerAnswer, ending: WorkEnding): WorkEnding {
    if (answer.kind === 'refused') {
      this.around.reports.trouble(this.held, 'the owner did not take the end of the attempt', new Error(answer.message));
    }
    return answer.kind === 'closed' ? 'dropped' : ending;
  }

  private async closeQuietly(close: Close): Promise<void> {
    try {
      await close();
    } catch (error) {
      this.around.reports.trouble(this.held, 'something of the attempt could not be closed', error);
    }
  }
}
