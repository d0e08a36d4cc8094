/**
 * Plans by kind of goal, for when no model has planned, or its plan could not be used. Each part of the goal has a task: data is collected,
 * analysed and reported, code goes from requirements to tests, whatever else is asked for is a task of its own, after the work that it may
 * rest on.
 */
import { SKILLS } from '@cadre/contracts';
import type { ArtifactRef, Plan, TaskId, TaskSpec } from '@cadre/contracts';
import { goalParts } from '../goal/goal-parts.js';
import type { GoalPart, PartKind } from '../goal/goal-parts.js';
import { kindsForbidden } from '../goal/goal-words.js';
import type { WorkKind } from '../goal/goal-words.js';
import * as tasks from './template-tasks.js';
import { after } from './template-tasks.js';

export type TemplateKind = 'analysis' | 'development' | 'research' | 'writing' | 'mixed' | 'list' | 'generic';

const DATA_FILE = /\.(csv|tsv|json|jsonl|ndjson|parquet)$/i;
const DATA_TYPE = /(csv|tab-separated|json|parquet)/i;

/** Whether an input is a table that the data tools can read, by its name or its type. */
export function isData(input: Pick<ArtifactRef, 'name' | 'mediaType'>): boolean {
  return DATA_FILE.test(input.name) || DATA_TYPE.test(input.mediaType);
}

const OF_DATA: ReadonlySet<PartKind> = new Set(['analysis', 'chart', 'report']);
const OF_CODE: ReadonlySet<PartKind> = new Set(['code', 'tests', 'docs', 'review', 'design', 'feature']);
/** They say how the others are to be. */
const DEMANDS: ReadonlySet<PartKind> = new Set(['language', 'format', 'length', 'file', 'without']);
/** Which tasks make what a goal may forbid. */
const MAKERS: Partial<Record<WorkKind, readonly TaskId[]>> = {
  tests: ['test'],
  docs: ['docs'],
  review: ['review'],
  code: ['code', 'implement', 'test'],
  report: ['report'],
};

interface Asked {
  kinds: ReadonlySet<PartKind>;
  /** What is neither about data nor about code. */
  others: GoalPart[];
  hasData: boolean;
  /** What the goal says must not be made. */
  forbidden: ReadonlySet<TaskId>;
}

type Input = Pick<ArtifactRef, 'name' | 'mediaType'>;

function askedOf(goal: string, inputs: readonly Input[]): Asked {
  const hasData = inputs.some(isData);
  const all = goalParts(goal);
  const forbidden = all.flatMap(({ demand }) => (demand?.kind === 'without' ? kindsForbidden(demand.of) : []));
  // What is summed up is a text where there is one, else the data.
  const ofData = new Set([...OF_DATA, ...(hasData && inputs.every(isData) ? (['summary'] as const) : [])]);
  const parts = all.filter(({ kind }) => !DEMANDS.has(kind));
  const kinds = new Set(parts.map(({ kind }) => kind));
  // Tests of what is in the data test code that reads it.
  if (hasData && kinds.has('tests')) kinds.add('code');
  // Several questions about a table rest on one analysis of it.
  if (hasData && (kinds.has('summary') ? ofData.has('summary') : parts.filter(({ kind }) => kind === 'unknown').length > 1))
    kinds.add('analysis');
  // What is reported may be anything; it is data where there is some, or where it is analysed.
  const data = hasData || kinds.has('analysis') || kinds.has('chart');
  const code = kinds.has('code') || kinds.has('tests') || kinds.has('docs') || kinds.has('review');
  const others = parts.filter(({ kind }) => {
    if (ofData.has(kind)) return !data;
    return !(OF_CODE.has(kind) && (code || kind === 'design'));
  });
  return { kinds, others, hasData, forbidden: new Set(forbidden.flatMap((kind) => MAKERS[kind] ?? [])) };
}

function dataTasks({ kinds, hasData }: Asked, alone: boolean): TaskSpec[] {
  const wanted = kinds.has('analysis') || kinds.has('chart') || (kinds.has('report') && hasData);
  const basis = hasData && (['code', 'docs', 'review'] as const).some((kind) => kinds.has(kind));
  if (!wanted && !basis) return [];
  if (!alone) return [after(tasks.analyzeTask(hasData, true), [])];
  return [
    after(tasks.collectTask(hasData), []),
    after(tasks.analyzeTask(hasData, false), ['collect']),
    after(tasks.reportTask(hasData), ['collect', 'analyze']),
  ];
}

/** From what is wanted to code that is tested. */
function development(kinds: ReadonlySet<PartKind>): TaskSpec[] {
  const made = [
    after(tasks.requirementsTask(), []),
    after(tasks.designTask(), ['requirements']),
    after(tasks.codeTask('implement', 'Implement the design, with all that the goal asks of it.'), ['requirements', 'design']),
    after(tasks.testsTask(true), ['requirements', 'implement']),
  ];
  if (kinds.has('docs')) made.push(after(tasks.docsTask(true), ['design', 'implement']));
  if (kinds.has('review') || kinds.has('docs')) made.push(after(tasks.reviewTask(true), ['implement', 'test']));
  return made;
}

/** Code from the results of an analysis, tests and documentation side by side, and a look over it all. */
function afterAnalysis({ kinds, hasData }: Asked, analysis: readonly TaskId[]): TaskSpec[] {
  const made: TaskSpec[] = [];
  const code: TaskId | undefined = kinds.has('code') ? 'code' : undefined;
  const basis = code === undefined ? analysis : [code];
  if (code) made.push(after(tasks.codeTask(code, hasData ? tasks.DATA_CODE : tasks.ANY_CODE), analysis));
  if (kinds.has('tests')) made.push(after(tasks.testsTask(code !== undefined), basis));
  if (kinds.has('docs')) made.push(after(tasks.docsTask(code !== undefined), basis));
  const before = made.map(({ id }) => id).filter((id) => id !== 'docs');
  if (code !== undefined || kinds.has('review'))
    made.push(after(tasks.reviewTask(code !== undefined), before.length > 0 ? before : analysis));
  return made;
}

function codeTasks(asked: Asked, analysis: readonly TaskId[]): TaskSpec[] {
  const { kinds } = asked;
  if (analysis.length > 0) return afterAnalysis(asked, analysis);
  if (kinds.has('code')) return development(kinds);
  const design = kinds.has('design') ? [after(tasks.requirementsTask(), []), after(tasks.designTask(), ['requirements'])] : [];
  return [...design, ...afterAnalysis(asked, design.length > 0 ? ['design'] : [])];
}

/** Tasks for one part that is neither about data nor about code. */
function partTasks(part: GoalPart, number: number, before: readonly TaskId[], only: boolean): TaskSpec[] {
  if (only && part.kind === 'research') {
    const steps = [tasks.sourcesTask(), tasks.assessTask(), tasks.findingsTask()];
    return steps.map((step, index) =>
      after(
        step,
        steps.slice(0, index).map(({ id }) => id),
      ),
    );
  }
  if (only && part.kind === 'text') {
    const steps = [tasks.outlineTask(), tasks.draftTask(), tasks.reviseTask()];
    return steps.map((step, index) =>
      after(
        step,
        steps.slice(0, index).map(({ id }) => id),
      ),
    );
  }
  return [after(tasks.partTask(only ? 'work' : `part-${number}`, part.text), before)];
}

function kindOf({ others, kinds }: Asked, data: number, code: number): TemplateKind {
  if (data + code > 0) {
    if (others.length > 0 || (data > 0 && code > 0)) return 'mixed';
    if (data > 0) return 'analysis';
    return kinds.has('code') ? 'development' : code > 1 ? 'mixed' : 'generic';
  }
  if (others.length > 1) return 'list';
  const kind = others[0]?.kind;
  return kind === 'research' ? 'research' : kind === 'text' ? 'writing' : 'generic';
}

function wholeSkill(goal: string, hasData: boolean): string {
  // A question about a file is for who can read it; other work on it is not an analysis because the file is there.
  return hasData && goalParts(goal).every(({ kind }) => kind === 'unknown' || DEMANDS.has(kind)) ? SKILLS.dataAnalysis : SKILLS.general;
}

/** The plan that a goal's wording and its inputs ask for. Always valid. */
export function templatePlan(goal: string, inputs: readonly Input[]): { plan: Plan; kind: TemplateKind } {
  const asked = askedOf(goal, inputs);
  const isCode = [...asked.kinds].some((kind) => OF_CODE.has(kind) && kind !== 'feature');
  const data = dataTasks(asked, !isCode);
  const code = isCode
    ? codeTasks(
        asked,
        data.map(({ id }) => id),
      )
    : [];
  const kind = kindOf(asked, data.length, code.length);
  const before = [...data, ...code].map(({ id }) => id);
  const only = before.length === 0 && asked.others.length === 1;
  const others = asked.others.flatMap((part, index) => partTasks(part, index + 1, before, only));
  const all = [...data, ...code, ...others]
    .filter(({ id }) => !asked.forbidden.has(id))
    .map((task) => ({ ...task, dependsOn: task.dependsOn.filter((id) => !asked.forbidden.has(id)) }));
  if (all.length === 0 || kind === 'generic')
    return { kind, plan: { tasks: code.length > 0 ? code : [after(tasks.wholeTask(wholeSkill(goal, asked.hasData)), [])] } };
  return { kind, plan: { tasks: all } };
}
