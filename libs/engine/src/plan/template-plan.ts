/** Plans by kind of goal, for when no model has planned, or its plan could not be used. */
import { SKILLS } from '@cadre/contracts';
import type { ArtifactRef, Plan, TaskSpec } from '@cadre/contracts';
import { asksOf, isData } from './goal-clauses.js';
import type { Ask } from './goal-clauses.js';
import {
  after,
  analyseTask,
  codeTask,
  collectTask,
  designTask,
  docsTask,
  reportTask,
  requirementsTask,
  reviewTask,
  testsTask,
  wholeTask,
} from './template-tasks.js';

export type TemplateKind = 'analysis' | 'development' | 'mixed' | 'generic';

const SKILL_OF: Record<Ask, string> = {
  analysis: SKILLS.dataAnalysis,
  code: SKILLS.codeGeneration,
  tests: SKILLS.testing,
  docs: SKILLS.documentation,
  review: SKILLS.codeReview,
};

function analysis(hasData: boolean): TaskSpec[] {
  return [
    after(collectTask(hasData), []),
    after(analyseTask(hasData, false), ['collect']),
    after(reportTask(hasData), ['collect', 'analyse']),
  ];
}

function development(asks: ReadonlySet<Ask>): TaskSpec[] {
  const tasks = [
    after(requirementsTask(), []),
    after(designTask(), ['requirements']),
    after(codeTask('implement', 'Implement the design.'), ['requirements', 'design']),
    after(testsTask('test', true), ['requirements', 'implement']),
  ];
  if (asks.has('docs')) tasks.push(after(docsTask(true), ['design', 'implement']));
  if (asks.has('review')) tasks.push(after(reviewTask(true), ['implement', 'test', ...(asks.has('docs') ? ['docs'] : [])]));
  return tasks;
}

/** Analysis first, code from its results, then tests and documentation side by side, and a look over it all. */
function mixed(asks: ReadonlySet<Ask>, hasData: boolean): TaskSpec[] {
  const analyse = asks.has('analysis') ? 'analyse' : undefined;
  const code = asks.has('code') ? 'code' : undefined;
  const tests = asks.has('tests') ? 'tests' : undefined;
  const docs = asks.has('docs') ? 'docs' : undefined;
  const hasCode = code !== undefined;
  const tasks: TaskSpec[] = [];
  if (analyse) tasks.push(after(analyseTask(hasData, true), []));
  if (code) {
    const purpose =
      'Write the code that the goal asks for; where it is about the data, it recomputes the figures of the analysis from the data.';
    tasks.push(after(codeTask(code, purpose), [analyse]));
  }
  if (tests) tasks.push(after(testsTask(tests, hasCode), [code ?? analyse]));
  if (docs) tasks.push(after(docsTask(hasCode), [code ?? analyse]));
  if (asks.has('review') || hasCode)
    tasks.push(after(reviewTask(hasCode), [code, tests, docs].some(Boolean) ? [code, tests, docs] : [analyse]));
  return tasks;
}

function singleSkill(asks: ReadonlySet<Ask>, hasData: boolean): string {
  const [only] = asks;
  if (only !== undefined && only !== 'analysis') return SKILL_OF[only];
  return hasData ? SKILLS.dataAnalysis : SKILLS.general;
}

/** The plan that a goal's wording and its inputs ask for. Always valid. */
export function templatePlan(goal: string, inputs: readonly ArtifactRef[]): { plan: Plan; kind: TemplateKind } {
  const asks = asksOf(goal);
  const hasData = inputs.some(isData);
  const others = asks.size - (asks.has('analysis') ? 1 : 0);
  if (asks.has('analysis') && others === 0) return { kind: 'analysis', plan: { tasks: analysis(hasData) } };
  if (asks.has('code') && !asks.has('analysis')) return { kind: 'development', plan: { tasks: development(asks) } };
  if (asks.size > 1) return { kind: 'mixed', plan: { tasks: mixed(asks, hasData) } };
  return { kind: 'generic', plan: { tasks: [after(wholeTask(singleSkill(asks, hasData)), [])] } };
}
