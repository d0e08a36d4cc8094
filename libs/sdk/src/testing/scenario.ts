/** One small scripted run: two tasks and an answer, told as feed events and, at each of them, as a view. */
import { type ArtifactRef, type FeedEvent, NO_USAGE, RunOptions, type RunView, TaskSpec, type TaskView } from '@cadre/contracts';

/** `hang`: the run stays at its first task until it is cancelled. */
export type Outcome = 'complete' | 'partial' | 'fail' | 'hang';

export interface Step {
  position: string;
  event: FeedEvent;
  /** The run as the read model shows it once this event is in. */
  view: RunView;
}

export const usage = { modelCalls: 2, toolCalls: 3, inputTokens: 1200, outputTokens: 340, costMicros: 1500 };
const failure = { code: 'tool-failed', message: 'the tests did not pass', retriable: false };

type Data = FeedEvent['data'];

/** Puts events together, one commit each, and folds them into views as it goes. */
export class RunScript {
  readonly steps: Step[] = [];
  private view: RunView;
  private at: number;

  constructor(runId: string, goal: string, inputs: ArtifactRef[], startedAt: number) {
    this.at = startedAt;
    this.view = {
      ...{ runId, tenant: 'default', goal, status: 'planning', createdAt: startedAt, tasksDone: 0, tasksTotal: 0, usage: NO_USAGE },
      ...{ options: RunOptions.parse({}), inputs, deadlineAt: startedAt + 60_000, seq: 0, tasks: [], artifacts: [] },
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

  start(taskId: string, agent: string): void {
    const at = this.at;
    this.add({ type: 'AttemptScheduled', taskId, attempt: 1, notBefore: at }, (view) =>
      this.task(view, taskId, { status: 'ready', attempt: 1 }),
    );
    this.add({ type: 'AttemptStarted', taskId, attempt: 1, agent, workerId: `w-${agent}`, deadlineAt: at + 60_000 }, (view) =>
      this.task(view, taskId, { status: 'running', agent, startedAt: at }),
    );
    const call = { ok: true, at, durationMs: 12, inputTokens: 600, outputTokens: 170, costMicros: 750 };
    this.add(
      { type: 'CallsRecorded', taskId, attempt: 1, calls: [{ n: 1, kind: 'model', name: 'stand-in', note: 'thinking', ...call }] },
      (view) => view,
    );
  }

  complete(taskId: string, answer: string, artifacts: ArtifactRef[] = []): void {
    const result = { answer: { text: answer }, confidence: 0.9, artifacts, usage };
    this.add({ type: 'TaskCompleted', taskId, attempt: 1, result }, (view) => ({
      ...this.task(view, taskId, { status: 'completed', endedAt: this.at, answer: result.answer, confidence: 0.9, artifacts, usage }),
      artifacts: [...view.artifacts, ...artifacts],
    }));
  }

  failTask(taskId: string): void {
    this.add({ type: 'AttemptFailed', taskId, attempt: 1, error: failure, counted: true, usage }, (view) => view);
    this.add({ type: 'TaskFailed', taskId, error: failure }, (view) =>
      this.task(view, taskId, { status: 'failed', endedAt: this.at, error: failure.message, usage }),
    );
  }

  end(outcome: 'complete' | 'partial' | 'fail'): void {
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
    this.add({ type: 'RunCompleted', answer, partial, ...ended }, () => ({
      status: 'completed',
      endedAt: this.at,
      answer,
      partial,
      usage,
    }));
  }

  cancel(reason: string): void {
    this.add({ type: 'CancelRequested', reason }, () => ({ cancelReason: reason }));
    const ended = { artifacts: this.view.artifacts, usage: NO_USAGE };
    this.add({ type: 'RunCancelled', reason, ...ended }, () => ({ status: 'cancelled', endedAt: this.at }));
  }

  private task(view: RunView, taskId: string, change: Partial<TaskView>): Partial<RunView> {
    return { tasks: view.tasks.map((task) => (task.taskId === taskId ? { ...task, ...change } : task)) };
  }
}

/** Plays a whole run, as far as it goes by itself. */
export function playRun(script: RunScript, outcome: Outcome, artifacts: ArtifactRef[]): void {
  const { goal, inputs, deadlineAt } = script.last;
  script.add(
    { type: 'RunStarted', tenant: 'default', goal, inputs, options: RunOptions.parse({}), fingerprint: 'f', deadlineAt },
    (view) => view,
  );
  script.addTasks('engine', [{ id: 'plan', title: 'Plan the work' }]);
  script.start('plan', 'planner');
  if (outcome === 'hang') return;
  script.complete('plan', 'two tasks');
  script.addTasks('template', [
    { id: 'analyse', title: 'Analyse the data' },
    { id: 'tests', title: 'Write tests', dependsOn: ['analyse'] },
  ]);
  script.start('analyse', 'data-analyst');
  script.complete('analyse', 'done', artifacts);
  script.start('tests', 'test-writer');
  if (outcome === 'complete') script.complete('tests', 'all pass');
  else script.failTask('tests');
  script.end(outcome);
}
