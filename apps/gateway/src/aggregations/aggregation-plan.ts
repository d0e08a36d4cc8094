/**
 * From results of runs and a rule to the run that aggregates them: a scope of given results, which the engine combines alone where no agent
 * is asked for.
 */
import { SKILLS, type AggregationRequest, type Json, type TaskSpecInput } from '@cadre/contracts';
import type { RunResult } from './run-results.js';

const AGGREGATE_TASK = 'aggregate';

const SUMMARIZE =
  'Make one answer of the results of these runs, in Markdown. Begin with what they come to together, with the figures that matter, and name the run that each ' +
  'comes from by its goal. Say where they contradict each other, and plainly what failed, is missing or stays uncertain.';

const MAX_TITLE = 80;

function titleOf(goal: string): string {
  const [line = ''] = goal.trim().split('\n', 1);
  return line.length <= MAX_TITLE ? line : `${line.slice(0, MAX_TITLE - 1).toWellFormed()}…`;
}

function workOf(rule: AggregationRequest['combine'], goal: string): Pick<TaskSpecInput, 'instructions' | 'agent' | 'skills'> {
  if (rule.by === 'summary') return { instructions: rule.instructions ?? SUMMARIZE, skills: [SKILLS.synthesis] };
  if (rule.by === 'custom') return { instructions: rule.instructions ?? goal.slice(0, 8000), agent: rule.agent };
  return { instructions: goal.slice(0, 8000) };
}

/** The request of the run, to be checked like any other. @param results in the order of the request */
export function aggregationRun(
  { runs, combine, gate, need, partial, goal: asked, options }: AggregationRequest,
  results: readonly RunResult[],
): Json {
  const goal = asked ?? `Aggregate the results of ${runs.length} ${runs.length === 1 ? 'run' : 'runs'}`;
  const body = results.map(({ runId, goal: theirs, given }) => ({
    id: runId,
    title: titleOf(theirs),
    instructions: 'This run has ended.',
    given,
  }));
  const task: TaskSpecInput = {
    id: AGGREGATE_TASK,
    title: 'Aggregate the results',
    ...workOf(combine, goal),
    scope: {
      branches: true,
      body,
      width: 1000,
      join: { need: need ?? (partial || gate ? 'any' : 'all'), until: 'ended' },
      ...(gate === undefined ? {} : { gate }),
      combine: combine.by === 'summary' || combine.by === 'custom' ? { by: 'custom' } : combine,
    },
  };
  const labels = { ...options.labels, aggregation: combine.by };
  return { goal, options: { ...options, summarize: false, labels }, plan: { tasks: [task] } } as unknown as Json;
}
