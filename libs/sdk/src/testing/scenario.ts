/** One small scripted run: two tasks and an answer, told as feed events and, at each of them, as a view. */
import {
  addUsage,
  type ArtifactRef,
  type CallReservation,
  type CallSettlement,
  type CallView,
  type FeedEvent,
  NO_USAGE,
  type Question,
  type QuestionChoice,
  RunOptions,
  type RunView,
  TaskSpec,
  type TaskView,
  type Usage,
} from '@cadre/contracts';

/** `hang`: the run stays at its first task until it is cancelled. `ask`: its last task asks for money and waits for the answer. */
export type Outcome = 'complete' | 'partial' | 'fail' | 'hang' | 'ask';

export interface Step {
  position: string;
  event: FeedEvent;
  /** The run as the read model shows it once this event is in. */
  view: RunView;
}

const failure = { code: 'tool-failed', message: 'the tests did not pass', retriable: false };

type Data = FeedEvent['data'];

/** Puts events together, one commit each, and folds them into views as it goes. */
export class RunScript {
  readonly steps: Step[] = [];
  readonly calls: CallView[] = [];
  private view: RunView;
  private at: number;

  constructor(runId: string, goal: string, inputs: ArtifactRef[], startedAt: number, options: RunOptions = RunOptions.parse({})) {
    this.at = startedAt;
    this.view = {
      ...{ runId, tenant: 'default', goal, status: 'planning', createdAt: startedAt, tasksDone: 0, tasksTotal: 0, usage: NO_USAGE },
      ...{ options, inputs, deadlineAt: startedAt + 60_000, seq: 0, tasks: [], artifacts: [], reservedMicros: 0, questions: [] },
    };
  }

  get last(): RunView {
    return this.view;
  }

  add(data: Data, change: (view: RunView) => Partial<RunView>): void {
    const seq = this.steps.length + 1;
    this.at += 40;
    const { runId } = this.view;
    const event: FeedEvent = {
      ...{ specversion: '1.0', id: `${runId}/${seq}.0`, source: '/cadre/default', type: `cadre.${data.type}`, subject: runId },
      ...{ time: new Date(this.at).toISOString(), datacontenttype: 'application/json', data },
    };
    const merged = { ...this.view, ...change(this.view), seq };
    const done = merged.tasks.filter(({ endedAt }) => endedAt !== undefined).length;
    this.view = { ...merged, tasksDone: done, tasksTotal: merged.tasks.length };
    this.steps.push({ position: `${seq}.0`, event, view: this.view });
  }

  addTasks(source: 'engine' | 'template', specs: { id: string; title: string; dependsOn?: string[] }[]): void {
    const tasks = specs.map((spec) => TaskSpec.parse({ ...spec, instructions: spec.title }));
    const views = tasks.map((task): TaskView => ({
      ...{ taskId: task.id, title: task.title, status: 'waiting', priority: task.priority, skills: task.skills },
      ...{ dependsOn: task.dependsOn, require: task.require, attempt: 0, artifacts: [], usage: NO_USAGE },
    }));
    this.add({ type: 'TasksAdded', source, tasks }, (view) => ({
      tasks: [...view.tasks, ...views],
      ...(source === 'engine' ? {} : { status: 'running', planSource: source }),
    }));
  }

  start(taskId: string, agent: string, attempt = 1): void {
    const at = this.at;
    this.add({ type: 'AttemptScheduled', taskId, attempt, notBefore: at }, (view) => this.task(view, taskId, { status: 'ready', attempt }));
    this.add({ type: 'AttemptStarted', taskId, attempt, agent, workerId: `w-${agent}`, deadlineAt: at + 60_000, tools: [] }, (view) =>
      this.task(view, taskId, { status: 'running', agent, startedAt: at }),
    );
  }

  /** One model call, made and paid for. */
  call(taskId: string, attempt = 1): void {
    const at = this.at;
    const key = this.calls.length.toString(16).padStart(32, '0');
    const made: CallReservation = { key, try: 1, kind: 'model', name: 'stand-in', maxCostMicros: 2000 };
    const figures = { ok: true, at, durationMs: 12, inputTokens: 600, outputTokens: 170, costMicros: 750 };
    const settled: CallSettlement = { key, try: 1, outcome: 'done', note: 'thinking', ...figures, body: { text: 'a thought' } };
    this.add({ type: 'CallsReserved', taskId, attempt, calls: [made] }, () => ({ reservedMicros: 2000 }));
    this.add({ type: 'CallsSettled', taskId, attempt, calls: [settled] }, () => ({ reservedMicros: 0 }));
    const { body: _body, ...shown } = settled;
    this.calls.push({ ...made, ...shown, effect: 'none', taskId, attempt });
  }

  /** The attempt's next call does not fit under the run's cap. */
  ask(taskId: string, attempt = 1): void {
    const key = 'f'.repeat(32);
    const refused = { key, kind: 'model', name: 'stand-in', maxCostMicros: 2000, limit: 'run', then: 'ask' } as const;
    this.add({ type: 'CallRefused', taskId, attempt, ...refused }, () => ({}));
    const waiting = { code: 'waiting-for-answer', message: 'The budget of the run is used up.', retriable: false };
    this.add({ type: 'AttemptFailed', taskId, attempt, error: waiting, counted: false }, (view) =>
      this.task(view, taskId, { error: waiting.message }),
    );
    const question: Question = {
      ...{ questionId: 'q1', taskId, kind: 'budget', choices: ['approve', 'deny'], limit: 'run', neededMicros: 500 },
      ...{ text: 'The next call may cost $0.0020; $0.0015 of the run are left. Raise the cap?', dueAt: this.view.deadlineAt },
    };
    this.add({ type: 'QuestionAsked', taskId, question }, (view) => ({
      ...this.task(view, taskId, { status: 'asking' }),
      questions: [{ ...question, runId: view.runId, askedAt: this.at, taskTitle: titleOf(view, taskId) }],
    }));
  }

  /** @returns whether the question was open */
  answer(questionId: string, choice: QuestionChoice, by: string, artifacts: ArtifactRef[]): boolean {
    const open = this.view.questions.find((each) => each.questionId === questionId);
    if (open === undefined) return false;
    const { taskId } = open;
    this.add({ type: 'QuestionAnswered', taskId, questionId, choice, by }, () => ({ questions: [] }));
    if (choice === 'approve') {
      this.start(taskId, 'test-writer', 2);
      this.call(taskId, 2);
      this.complete(taskId, 'all pass', artifacts, 2);
      this.end('complete');
    } else {
      this.failTask(taskId);
      this.end('fail');
    }
    return true;
  }

  complete(taskId: string, answer: string, artifacts: ArtifactRef[] = [], attempt = 1): void {
    const result = { answer: { text: answer }, confidence: 0.9, artifacts };
    const usage = this.usageOf(taskId);
    this.add({ type: 'TaskCompleted', taskId, attempt, result }, (view) => ({
      ...this.task(view, taskId, { status: 'completed', endedAt: this.at, answer: result.answer, confidence: 0.9, artifacts, usage }),
      artifacts: [...view.artifacts, ...artifacts],
    }));
  }

  failTask(taskId: string): void {
    this.add({ type: 'AttemptFailed', taskId, attempt: 1, error: failure, counted: true }, (view) => view);
    this.add({ type: 'TaskFailed', taskId, error: failure }, (view) =>
      this.task(view, taskId, { status: 'failed', endedAt: this.at, error: failure.message, usage: this.usageOf(taskId) }),
    );
  }

  end(outcome: 'complete' | 'partial' | 'fail'): void {
    const usage = this.usageOf();
    const ended = { artifacts: this.view.artifacts, usage };
    if (outcome === 'fail') {
      this.add({ type: 'RunFailed', error: failure, ...ended }, () => ({ status: 'failed', endedAt: this.at, error: failure, usage }));
      return;
    }
    const text = '# Answer\n\nIt rained on **641** days.';
    const answer = this.view.goal.includes('at length')
      ? { ref: { sha256: '0'.repeat(64), size: 20_000, mediaType: 'text/markdown' }, preview: text }
      : { text };
    const partial = outcome === 'partial';
    const missing = partial ? { missing: ['in French'] } : {};
    this.add({ type: 'RunCompleted', answer, partial, ...missing, ...ended }, () => ({
      status: 'completed',
      endedAt: this.at,
      answer,
      partial,
      ...missing,
      usage,
    }));
  }

  /** Only the plan was asked for. */
  endWithPlan(taskIds: string[]): void {
    const reason = 'Only the plan was asked for.';
    for (const taskId of taskIds)
      this.add({ type: 'TaskSkipped', taskId, cause: 'condition', reason }, (view) =>
        this.task(view, taskId, { status: 'skipped', endedAt: this.at, error: reason }),
      );
    const ended = { artifacts: [], usage: this.usageOf() };
    this.add({ type: 'RunCompleted', answer: { text: '{}' }, partial: false, ...ended }, () => ({
      ...{ status: 'completed', endedAt: this.at, answer: { text: '{}' }, partial: false, usage: ended.usage },
    }));
  }

  cancel(reason: string): void {
    this.add({ type: 'CancelRequested', reason, graceUntil: this.at + 5000 }, () => ({ status: 'cancelling', cancelReason: reason }));
    const ended = { artifacts: this.view.artifacts, usage: this.usageOf() };
    this.add({ type: 'RunCancelled', reason, ...ended }, () => ({ status: 'cancelled', endedAt: this.at, questions: [] }));
  }

  /** Of one task's calls, or of all. */
  private usageOf(taskId?: string): Usage {
    const calls = this.calls.filter((call) => taskId === undefined || call.taskId === taskId);
    return calls.reduce((sum, { inputTokens, outputTokens, costMicros }) => {
      return addUsage(sum, { modelCalls: 1, toolCalls: 0, inputTokens, outputTokens, costMicros });
    }, NO_USAGE);
  }

  private task(view: RunView, taskId: string, change: Partial<TaskView>): Partial<RunView> {
    return { tasks: view.tasks.map((task) => (task.taskId === taskId ? { ...task, ...change } : task)) };
  }
}

const titleOf = (view: RunView, taskId: string): string => view.tasks.find((task) => task.taskId === taskId)?.title ?? taskId;

/** Plays a whole run, as far as it goes by itself. */
export function playRun(script: RunScript, outcome: Outcome, artifacts: ArtifactRef[]): void {
  const { goal, inputs, deadlineAt, options } = script.last;
  script.add({ type: 'RunStarted', tenant: 'default', goal, inputs, options, fingerprint: 'f', deadlineAt }, (view) => view);
  script.addTasks('engine', [{ id: 'plan', title: 'Plan the work' }]);
  script.start('plan', 'planner');
  script.call('plan');
  if (outcome === 'hang') return;
  script.complete('plan', 'two tasks');
  script.addTasks('template', [
    { id: 'analyse', title: 'Analyse the data' },
    { id: 'tests', title: 'Write tests', dependsOn: ['analyse'] },
  ]);
  if (options.planOnly) return script.endWithPlan(['analyse', 'tests']);
  script.start('analyse', 'data-analyst');
  script.call('analyse');
  script.complete('analyse', 'done', artifacts);
  script.start('tests', 'test-writer');
  if (outcome === 'ask') return script.ask('tests');
  script.call('tests');
  if (outcome === 'complete') script.complete('tests', 'all pass');
  else script.failTask('tests');
  script.end(outcome);
}
