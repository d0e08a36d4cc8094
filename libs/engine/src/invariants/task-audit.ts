/** Follows the attempts and endings of a run's tasks and reports what breaks invariants 4, 5 and 7. */
import { ANSWER_TASK, PLAN_TASK } from '@cadre/contracts';
import type { RunEvent, TaskSpec } from '@cadre/contracts';
import { allows, alternativeIsCalled } from './audit-tasks.js';
import type { AuditTask, Ending } from './audit-tasks.js';
import { RetryAudit } from './retry-audit.js';
import { ScopeAudit } from './scope-audit.js';
import type { Complain } from './violation.js';

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;
type TaskEvent = Extract<RunEvent, { taskId: string }>;

export class TaskAudit {
  readonly tasks = new Map<string, AuditTask>();
  /** Attempts scheduled or started and not closed. */
  openAttempts = 0;
  openQuestions = 0;
  /** Waits for time or for an event. */
  openWaits = 0;
  /** Only the plan was asked for. */
  planOnly = false;
  /** Nothing is given up under load. */
  neverUnderLoad = false;
  readonly scopes: ScopeAudit;
  readonly retries: RetryAudit;
  #openTasks = 0;
  /** Tasks that events were about, until they are taken. */
  #touched = new Set<string>();
  /** By task: those that look at how it ends. */
  readonly #watchers = new Map<string, string[]>();
  readonly #questionIds = new Set<string>();
  /** The task whose result is in the commit in hand. */
  #justCompleted: string | undefined;
  readonly #complain: Complain;

  constructor(complain: Complain) {
    this.#complain = complain;
    this.scopes = new ScopeAudit(this.tasks, complain);
    this.retries = new RetryAudit(complain);
  }

  add(specs: readonly TaskSpec[]): void {
    this.scopes.joined(specs);
    for (const spec of specs) {
      this.#touched.add(spec.id);
      this.#openTasks += 1;
      for (const id of new Set(spec.dependsOn)) this.#watch(id, spec.id);
      if (spec.alternativeTo !== undefined) this.#watch(spec.alternativeTo, spec.id);
      if (this.tasks.has(spec.id)) this.#complain(4, 'task-added-twice', `task ${spec.id} was added twice`, spec.id);
      else this.tasks.set(spec.id, { spec, attempt: 0, phase: 'none', notBefore: 0, counted: 0, questions: new Set() });
    }
  }

  #watch(id: string, watcher: string): void {
    const watchers = this.#watchers.get(id);
    if (watchers) watchers.push(watcher);
    else this.#watchers.set(id, [watcher]);
  }

  /** The tasks that something has happened to since the last time, and those that may have to move because of that. */
  takeConcerned(): Set<string> {
    const concerned = this.#touched;
    if (this.#openTasks === 1) concerned.add(ANSWER_TASK);
    this.#touched = new Set();
    this.#justCompleted = undefined;
    for (const id of [...concerned]) {
      // Who stands in for a task matters to those that wait for that task.
      for (let at: string | undefined = id; at !== undefined; at = this.tasks.get(at)?.spec.alternativeTo) {
        if (this.tasks.get(id)?.ending === undefined) break;
        for (const watcher of this.#watchers.get(at) ?? []) concerned.add(watcher);
      }
    }
    return concerned;
  }

  /** @param cancelled whether the run was asked to cancel before this event */
  apply(event: TaskEvent, at: number, cancelled: boolean): void {
    const task = this.tasks.get(event.taskId);
    if (!task)
      return this.#complain(4, 'unknown-task', `${event.type} for task ${event.taskId}, which the run does not have`, event.taskId);
    this.#touched.add(event.taskId);
    this.scopes.cancelling = cancelled;
    switch (event.type) {
      case 'TaskResolved':
        return this.#resolved(task, event);
      case 'TaskOpened':
        return this.#opened(task, event, at, cancelled);
      case 'ItemEnded':
        return this.scopes.itemEnded(event);
      case 'AttemptScheduled':
        return this.#scheduled(task, event, at, cancelled);
      case 'AttemptStarted':
        return this.#started(task, event, at, cancelled);
      case 'CallsReserved':
      case 'CallRefused':
        return this.#needStarted(task, event, 'call-outside-attempt');
      case 'CallsSettled':
        // Else by its reservation: see CallAudit.
        if (task.phase === 'started' && event.calls.some(({ outcome }) => outcome === 'done')) task.refused = undefined;
        return;
      case 'QuestionAsked':
        return this.#asked(task, event);
      case 'QuestionAnswered':
        return this.#answered(task, event);
      case 'AttemptFailed':
        return this.#attemptFailed(task, event, at);
      case 'TaskCompleted':
        if (event.attempt === 0) return this.#completedByEngine(task, event, at);
        this.#needStarted(task, event, 'result-outside-attempt');
        task.confidence = event.result.confidence;
        this.#justCompleted = event.taskId;
        return this.#end(task, 'completed', event);
      case 'TaskFailed':
        return this.#end(task, 'failed', event);
      case 'TaskSkipped':
        this.#checkSkip(task, event);
        return this.#end(task, event.cause === 'dependency' ? 'blocked' : 'unneeded', event);
      case 'TaskCancelled':
        return this.#end(task, 'cancelled', event);
    }
  }

  #resolved(task: AuditTask, { taskId: id, agents }: EventOf<'TaskResolved'>): void {
    if (task.phase !== 'none') this.#complain(5, 'resolved-late', `the expressions of ${id} were filled in after it had begun`, id);
    const [agent, ...fallbackAgents] = agents ?? [];
    if (agent !== undefined) task.spec = { ...task.spec, agent, fallbackAgents };
  }

  #opened(task: AuditTask, event: EventOf<'TaskOpened'>, at: number, cancelled: boolean): void {
    const { taskId: id } = event;
    if (cancelled) this.#complain(7, 'opened-after-cancel', `${id} was opened after the cancel`, id);
    if (event.delegated) return this.#delegated(task, event);
    if (task.ending || task.phase !== 'none') this.#complain(4, 'opened-twice', `${id} was opened, but has begun or ended before`, id);
    if (!task.spec.scope && !task.spec.wait) this.#complain(4, 'opened-wrongly', `${id} was opened, but is an agent's work`, id);
    this.#checkFirst(task, id);
    task.phase = 'opened';
    task.notBefore = event.wakeAt ?? 0;
    if (task.spec.wait) this.openWaits += 1;
    this.scopes.opened(task, event);
    const wait = task.spec.wait;
    const ms = wait ? ('delayMs' in wait ? wait.delayMs : wait.timeoutMs) : task.spec.scope?.join.deadlineMs;
    if (event.wakeAt !== (ms === undefined ? undefined : at + ms))
      this.#complain(5, 'wrong-time', `${id} was opened until ${event.wakeAt}`, id);
  }

  /** The attempt that gave work to others is closed with that, and counts for nothing. */
  #delegated(task: AuditTask, event: EventOf<'TaskOpened'>): void {
    const { taskId: id } = event;
    if (task.ending || task.phase !== 'closed' || task.lastFailure?.counted !== false || task.questions.size > 0)
      this.#complain(4, 'opened-wrongly', `${id} waits for others, but no attempt of it has just given work away`, id);
    task.phase = 'opened';
    task.notBefore = 0;
    this.scopes.delegated(event);
  }

  /** Only what the engine does itself is completed by it, and a delay never early. */
  #completedByEngine(task: AuditTask, event: EventOf<'TaskCompleted'>, at: number): void {
    const { taskId: id } = event;
    task.confidence = event.result.confidence;
    if (task.spec.given) {
      if (task.phase !== 'none') this.#complain(4, 'given-twice', `the given result of ${id} was taken after it had begun`, id);
      this.#checkFirst(task, id);
      return this.#end(task, 'completed', event);
    }
    if (task.spec.scope?.combine.by === 'custom') this.#complain(5, 'joined-wrongly', `${id} was combined without its agent`, id);
    if (task.phase !== 'opened') this.#complain(4, 'result-outside-attempt', `${id} was completed by the engine, but is not open`, id);
    const { wait } = task.spec;
    if (wait && 'delayMs' in wait && at < task.notBefore)
      this.#complain(5, 'woken-early', `${id} was woken ${task.notBefore - at} ms early`, id);
    return this.#end(task, 'completed', event, at);
  }

  #scheduled(task: AuditTask, event: EventOf<'AttemptScheduled'>, at: number, cancelled: boolean): void {
    const { taskId: id, attempt } = event;
    if (cancelled) this.#complain(7, 'scheduled-after-cancel', `attempt ${attempt} of ${id} was scheduled after the cancel`, id);
    if (task.ending) this.#complain(4, 'attempt-after-end', `attempt ${attempt} of ${id} was scheduled after the task had ended`, id);
    if (isOpen(task)) this.#complain(4, 'two-open-attempts', `attempt ${attempt} of ${id} was scheduled while ${task.attempt} is open`, id);
    else this.openAttempts += 1;
    if (task.questions.size > 0)
      this.#complain(9, 'attempt-while-asking', `attempt ${attempt} of ${id} was scheduled before its question was answered`, id);
    if (attempt !== task.attempt + 1) this.#complain(5, 'attempt-number', `attempt ${attempt} of ${id} follows ${task.attempt}`, id);
    if (task.phase === 'opened') this.#goesOn(task, event, at);
    else if (event.joined !== undefined) this.#complain(5, 'joined-wrongly', `${id} is said to be joined, but is no open scope`, id);
    if (task.attempt === 0) this.#checkFirst(task, id);
    else this.retries.next(task, event, at);
    task.attempt = attempt;
    task.phase = 'scheduled';
    task.notBefore = event.notBefore;
    task.wanted = event.agent;
  }

  /** An agent goes on with what the engine was at: its own work, after that of others, or what the items of its scope have brought. */
  #goesOn(task: AuditTask, event: EventOf<'AttemptScheduled'>, at: number): void {
    const combines = event.joined !== undefined || task.spec.scope?.combine.by === 'custom';
    if (combines) this.#joined(task, event, at);
    else this.scopes.resumed(event.taskId);
  }

  /** The items of a scope have ended, and an agent combines them. */
  #joined(task: AuditTask, { taskId: id, joined }: EventOf<'AttemptScheduled'>, at: number): void {
    if (joined === undefined || task.spec.scope?.combine.by !== 'custom')
      this.#complain(5, 'joined-wrongly', `${id} was given to an agent, but the engine is at it`, id);
    this.scopes.ended(id, true, task.notBefore > 0 && at >= task.notBefore);
  }

  #checkFirst(task: AuditTask, id: string): void {
    // Who plans may ask others.
    const plans = id === PLAN_TASK || id.startsWith(`${PLAN_TASK}~`);
    if (this.planOnly && !plans) this.#complain(5, 'begun-in-preview', `task ${id} has begun, but only the plan was asked for`, id);
    if (allows(this.tasks, task.spec) !== 'yes') {
      this.#complain(5, 'started-before-dependencies', `task ${id} was opened before its dependencies allow it`, id);
    }
    if (alternativeIsCalled(this.tasks, task.spec) !== 'yes') {
      this.#complain(5, 'alternative-not-called', `task ${id} was opened though ${task.spec.alternativeTo} has not failed`, id);
    }
  }

  #started(task: AuditTask, event: EventOf<'AttemptStarted'>, at: number, cancelled: boolean): void {
    const { taskId: id, attempt } = event;
    if (cancelled) this.#complain(7, 'started-after-cancel', `attempt ${attempt} of ${id} was started after the cancel`, id);
    if (task.phase !== 'scheduled' || task.attempt !== attempt) {
      this.#complain(4, 'start-of-closed-attempt', `attempt ${attempt} of ${id} was started, but is not the one that is scheduled`, id);
    }
    if (at < task.notBefore)
      this.#complain(5, 'started-early', `attempt ${attempt} of ${id} was started ${task.notBefore - at} ms early`, id);
    this.#checkAgent(task, event);
    task.phase = 'started';
    task.worker = event.workerId;
    if (event.after !== undefined) this.#checkGoingOn(event.after, event);
  }

  /**
   * An agent that is asked for by name does it, or one to which it has handed on; nobody is said to be stood in for who was not asked for.
   */
  #checkAgent({ wanted, spec }: AuditTask, { taskId: id, attempt, agent, insteadOf, queuedMs }: EventOf<'AttemptStarted'>): void {
    if (queuedMs !== undefined && (this.neverUnderLoad || spec.underLoad !== undefined))
      this.#complain(4, 'not-as-asked', `attempt ${attempt} of ${id} is said to give up something under load, which is forbidden`, id);
    if (wanted !== undefined && wanted !== agent && wanted !== insteadOf)
      this.#complain(4, 'wrong-agent', `attempt ${attempt} of ${id} asks for ${wanted} and was started by ${agent}`, id);
    const isAskedFor = insteadOf === wanted || (queuedMs !== undefined && wanted === undefined);
    if (insteadOf !== undefined && (!isAskedFor || insteadOf === agent))
      this.#complain(4, 'wrong-agent', `attempt ${attempt} of ${id} was started instead of ${insteadOf}, which it does not ask for`, id);
  }

  /** Only who brings a result goes on from it, and only in the commit of the result. */
  #checkGoingOn(after: string, { taskId: id, attempt, workerId }: EventOf<'AttemptStarted'>): void {
    if (this.#justCompleted === after && this.tasks.get(after)?.worker === workerId) return;
    this.#complain(
      4,
      'not-gone-on',
      `attempt ${attempt} of ${id} is said to go on from ${after}, which its worker has not just completed`,
      id,
    );
  }

  #needStarted(task: AuditTask, event: { type: string; taskId: string; attempt: number }, clause: string): void {
    if (task.phase === 'started' && task.attempt === event.attempt) return;
    const state = `the last attempt is ${task.attempt} (${task.phase})`;
    this.#complain(4, clause, `${event.type} for attempt ${event.attempt} of ${event.taskId}, but ${state}`, event.taskId);
  }

  #attemptFailed(task: AuditTask, event: EventOf<'AttemptFailed'>, at: number): void {
    this.#needStarted(task, event, 'failure-outside-attempt');
    if (isOpen(task)) this.openAttempts -= 1;
    task.phase = 'closed';
    this.retries.closed(task, event, at);
  }

  #asked(task: AuditTask, { taskId: id, question }: EventOf<'QuestionAsked'>): void {
    const { questionId } = question;
    if (task.ending || isOpen(task)) this.#complain(9, 'question-out-of-turn', `${id} asks ${questionId}, but does not wait`, id);
    if (this.#questionIds.has(questionId)) this.#complain(9, 'question-repeated', `question ${questionId} was asked twice`, id);
    this.#questionIds.add(questionId);
    task.questions.add(questionId);
    this.openQuestions += 1;
  }

  #answered(task: AuditTask, { taskId: id, questionId }: EventOf<'QuestionAnswered'>): void {
    if (task.questions.delete(questionId)) this.openQuestions -= 1;
    else this.#complain(9, 'answer-without-question', `question ${questionId} of ${id} is not open`, id);
    if (task.lastFailure) task.lastFailure.answered = true;
  }

  #checkSkip(task: AuditTask, event: EventOf<'TaskSkipped'>): void {
    const id = event.taskId;
    if (event.cause === 'dependency' && allows(this.tasks, task.spec) !== 'no-more') {
      this.#complain(5, 'skipped-wrongly', `task ${id} was skipped for its dependencies, which still allow it`, id);
    }
    if (event.cause === 'alternative' && alternativeIsCalled(this.tasks, task.spec) !== 'no-more') {
      this.#complain(5, 'skipped-wrongly', `task ${id} was skipped as not needed, but ${task.spec.alternativeTo} may need it`, id);
    }
  }

  #end(task: AuditTask, ending: Ending, event: TaskEvent, at = 0): void {
    const { taskId: id } = event;
    if (task.phase === 'opened') {
      if (task.spec.wait) this.openWaits -= 1;
      this.scopes.ended(id, ending === 'completed', task.notBefore > 0 && at >= task.notBefore);
      task.phase = 'closed';
    }
    if (task.ending) this.#complain(4, 'task-ended-twice', `${event.type} for task ${id}, which has ended (${task.ending})`, id);
    if (isOpen(task)) {
      this.openAttempts -= 1;
      if (ending === 'failed' || ending === 'unneeded' || ending === 'blocked') {
        this.#complain(4, 'ended-with-open-attempt', `${event.type} for task ${id}, whose attempt ${task.attempt} is open`, id);
      }
      task.phase = 'closed';
    }
    this.openQuestions -= task.questions.size;
    task.questions.clear();
    if (!task.ending) this.#openTasks -= 1;
    task.ending ??= ending;
  }
}

function isOpen(task: AuditTask): boolean {
  return task.phase === 'scheduled' || task.phase === 'started';
}
