/** The planner: reads the goal clause by clause and names the tasks that the agents at hand can do. */
import type { TaskSpecInput } from '@cadre/contracts';
import { isData } from '../analysis/files.js';
import type { Brief } from '../conversation.js';
import type { Script } from '../script/script.js';
import { listing } from '../text/words.js';

type Want = 'analyze' | 'code' | 'test' | 'docs' | 'review';

const DOCS_VERB = /^(please )?(document|describe|explain)\b|\b(documentation|docs|readme|api reference)\b/;
const TEST = /\b(unit |integration )?tests?\b|\btesting\b/;
const REVIEW = /\b(review|audit|critique|inspect the code)\b/;
const CODE =
  /\b(code|implement|script|module|program|function|class|library|package|rest|api|crud|endpoint|server|develop|build|refactor)\b/;
const ANALYSIS =
  /\banaly[sz]|\b(analysis|explore|insights?|trends?|anomal\w*|outliers?|statistic\w*|profile|summari[sz]e|compare|correlat\w*|report|charts?|plots?|visuali[sz]\w*|figures?|distribution|average|how many|which|what)\b/;

/** What the goal asks for. "generate report code" is code, "document the API" documentation, "write tests for the code" tests. */
export function wantsOf(goal: string): Set<Want> {
  const clauses = goal
    .toLowerCase()
    .split(/[,.;:!?\n]+|\band then\b|\bthen\b|\band\b|\bas well as\b|\bwith\b/)
    .map((clause) => clause.trim());
  const wants = new Set<Want>();
  for (const clause of clauses) {
    if (DOCS_VERB.test(clause)) wants.add('docs');
    else if (TEST.test(clause)) wants.add('test');
    else if (REVIEW.test(clause)) wants.add('review');
    else if (CODE.test(clause)) wants.add('code');
    else if (ANALYSIS.test(clause)) wants.add('analyze');
  }
  return wants;
}

export function* planner(brief: Brief): Script<object> {
  const data = brief.inputs.map((input) => input.name).filter(isData);
  const wants = completed(wantsOf(brief.goal), data.length > 0);
  const tasks = (['analyze', 'code', 'test', 'docs', 'review'] as const)
    .filter((want) => wants.has(want))
    .map((want) => TASKS[want](wants, data));
  const planned = tasks.length > 0 ? tasks : [generalTask(brief)];
  const skills = brief.catalogue === undefined ? undefined : new Set(brief.catalogue.flatMap((agent) => agent.skills));
  const note = `The goal was read by rules, without a language model: ${listing(planned.map((task) => task.title.toLowerCase()))}.`;
  return { plan: { tasks: planned.map((task) => withKnownSkills(task, skills)) }, note };
}

/** Adds what the wishes rest on: code about data needs its profile, tests need code, code gets a review. */
function completed(asked: ReadonlySet<Want>, hasData: boolean): Set<Want> {
  const wants = new Set(asked);
  if (wants.has('test') || (wants.has('docs') && wants.size === 1) || (wants.has('review') && wants.size === 1)) wants.add('code');
  if (hasData) wants.add('analyze');
  else wants.delete('analyze');
  if (wants.has('code')) wants.add('review');
  return wants;
}

type Drafter = (wants: ReadonlySet<Want>, data: readonly string[]) => TaskSpecInput;

const needs = (wants: ReadonlySet<Want>, ...names: Want[]): string[] => names.filter((name) => wants.has(name));

const TASKS: Record<Want, Drafter> = {
  analyze: (_, data) => ({
    id: 'analyze',
    title: 'Analyze the data',
    instructions: `Profile ${listing(data.slice(0, 6))}; find trends, unusual values, differences between groups and relations between measures. Draw charts. Write report.md and data/profile.json.`,
    skills: ['data-analysis'],
    priority: 'high',
    estimatedMs: 6000,
  }),
  code: (wants, data) => ({
    id: 'code',
    title: data.length > 0 ? 'Write the report code' : 'Write the code',
    instructions:
      data.length > 0
        ? 'Write TypeScript that reads the data file and makes the report: typed rows, a parser, figures, trends, unusual values, Markdown. Type-check it.'
        : 'Write the TypeScript code that the goal asks for, without dependencies. Type-check it.',
    skills: ['code-generation'],
    dependsOn: needs(wants, 'analyze'),
    priority: 'high',
    estimatedMs: 4000,
  }),
  test: (wants, data) => ({
    id: 'test',
    title: 'Write and run tests',
    instructions:
      data.length > 0
        ? 'Write tests of the code: edge cases of the parser, small rows with plain figures, and the data file itself against the figures in data/profile.json. Run them and report the result.'
        : 'Write tests of the code. Run them and report the result.',
    skills: ['testing'],
    dependsOn: needs(wants, 'code'),
    estimatedMs: 6000,
  }),
  docs: (wants) => ({
    id: 'docs',
    title: 'Document the API',
    instructions:
      'Describe every export with its signature and an example that runs, how to run the tests, and the columns of the data. Write docs/API.md.',
    skills: ['documentation'],
    dependsOn: needs(wants, 'code').length > 0 ? ['code'] : needs(wants, 'analyze'),
    estimatedMs: 3000,
  }),
  review: (wants) => ({
    id: 'review',
    title: 'Review the code',
    instructions: 'Check the code and its tests by rules and by reading. Write review.md with findings, what is good, and a verdict.',
    skills: ['code-review'],
    dependsOn: needs(wants, 'code', 'test'),
    require: 'settled',
    priority: 'low',
    estimatedMs: 3000,
  }),
};

function generalTask({ goal, inputs }: Brief): TaskSpecInput {
  const files = inputs.length > 0 ? ` Use the files: ${listing(inputs.slice(0, 10).map((input) => input.name))}.` : '';
  return {
    id: 'work',
    title: 'Work on the goal',
    instructions: `${`Do what this goal asks, and say plainly what could not be done: ${goal}`.slice(0, 7000)}${files.slice(0, 900)}`,
    skills: ['general'],
    estimatedMs: 5000,
  };
}

/** Skills that nobody at hand has would leave the task waiting; then the generalist, or anybody, may take it. */
function withKnownSkills(task: TaskSpecInput, known: ReadonlySet<string> | undefined): TaskSpecInput {
  if (known === undefined || (task.skills ?? []).every((skill) => known.has(skill))) return task;
  return { ...task, skills: known.has('general') ? ['general'] : [] };
}
