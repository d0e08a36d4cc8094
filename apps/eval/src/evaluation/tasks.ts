/** Thirty tasks over all built-in agents, each with what must be true of its outcome. */
import type { RunRequestInput } from '@cadre/sdk';
import { called, completed, leaves, nothingInvented, plans, says, states, testsPass, typesHold } from './checks.js';
import { factsOf, fileOf, NOTES, TABLES } from './data.js';
import type { Check } from './outcome.js';

export interface EvalTask {
  id: string;
  /** Whose work it is above all. */
  agent: string;
  request: RunRequestInput & { goal: string };
  files: { name: string; data: string }[];
  checks: Record<string, Check>;
}

type TaskInput = NonNullable<RunRequestInput['plan']>['tasks'][number];

const ANALYSIS = { instructions: 'Profile the file: rows, columns, missing values, ranges and means. Find trends, groups and outliers.' };
const analyse: TaskInput = { id: 'analyze', title: 'Analyze the data', ...ANALYSIS, skills: ['data-analysis'] };
const code: TaskInput = {
  ...{ id: 'code', title: 'Write the report code', skills: ['code-generation'], dependsOn: ['analyze'] },
  instructions: 'Write TypeScript that reads the data file and makes the report, in src/. Type-check it.',
};
const test: TaskInput = {
  ...{ id: 'test', title: 'Write and run tests', skills: ['testing'], dependsOn: ['code'] },
  instructions: 'Write tests of the code. Run them and report the result.',
};
const docs: TaskInput = {
  ...{ id: 'docs', title: 'Document the API', skills: ['documentation'], dependsOn: ['code'] },
  instructions: 'Describe every export with its signature and an example. Write docs/API.md.',
};
const review: TaskInput = {
  ...{ id: 'review', title: 'Review the code', skills: ['code-review'], dependsOn: ['code'] },
  instructions: 'Check the code by rules and by reading. Write review.md with findings and a verdict.',
};

function factChecks(table: string, columns: readonly string[]): Record<string, Check> {
  const rows = TABLES[table]!;
  const checks: Record<string, Check> = { completed, 'rows right': states('the number of rows', rows.length) };
  for (const column of columns) {
    const { min, max, mean, missing } = factsOf(rows, column);
    checks[`${column} right`] = (outcome) =>
      [states(`the least ${column}`, min), states(`the largest ${column}`, max), states(`the mean ${column}`, mean)]
        .map((check) => check(outcome))
        .find((fault) => fault !== undefined);
    if (missing > 0) checks[`missing ${column} right`] = states(`the number of missing ${column}`, missing);
  }
  return { ...checks, 'data profiled': called('profile_data'), 'nothing invented': nothingInvented };
}

function ofAnalyst(
  table: string,
  columns: readonly string[],
  kind: 'csv' | 'json' | 'ndjson' = 'csv',
  more: Record<string, Check> = {},
): EvalTask {
  const file = fileOf(table, kind);
  return {
    ...{ id: `analyse-${table}-${kind}`, agent: 'data-analyst', files: [file] },
    request: {
      goal: `Analyze ${file.name}: rows, ranges and means of the numbers, missing values`,
      plan: { tasks: [analyse] },
      options: { summarize: false },
    },
    checks: { ...factChecks(table, columns), ...more },
  };
}

const made: Record<string, { agent: string; tasks: TaskInput[]; checks: Record<string, Check> }> = {
  code: { agent: 'code-writer', tasks: [analyse, code], checks: { 'code there': leaves(/^src\/.*\.ts$/), 'types hold': typesHold } },
  test: {
    agent: 'test-writer',
    tasks: [analyse, code, test],
    checks: { 'tests there': leaves(/\.test\.ts$/, /\btest\(/), 'tests pass': testsPass },
  },
  docs: {
    agent: 'documentation-writer',
    tasks: [analyse, code, docs],
    checks: { 'documents there': leaves(/^docs\/.*\.md$/, /```/), 'exports looked up': called('describe_api') },
  },
  review: {
    agent: 'code-reviewer',
    tasks: [analyse, code, review],
    checks: { 'checked by rules': called('static_checks'), 'verdict said': says('a verdict', /verdict|no objections|approve|findings?/i) },
  },
};

function ofMakers(kind: keyof typeof made & string, table: string): EvalTask {
  const { agent, tasks, checks } = made[kind]!;
  const file = fileOf(table);
  return {
    ...{ id: `${kind}-${table}`, agent, files: [file] },
    request: { goal: `Work on ${file.name}: analysis first, then ${kind}`, plan: { tasks }, options: { summarize: false } },
    checks: { completed, ...checks, 'nothing invented': nothingInvented },
  };
}

function ofPlanner(id: string, goal: string, checks: Record<string, Check>, table?: string): EvalTask {
  return {
    ...{ id: `plan-${id}`, agent: 'planner', files: table === undefined ? [] : [fileOf(table)] },
    request: { goal, options: { planOnly: true } },
    checks: { completed, ...checks },
  };
}

const DATA = plans('the analysis', 'data-analysis');
const CODE = plans('the code', 'code-generation');
const TESTS = plans('the tests', 'testing');
const DOCS = plans('the documentation', 'documentation');
const REVIEW = plans('the review', 'code-review');

function ofWhole(table: string, goal: string, columns: readonly string[], checks: Record<string, Check>): EvalTask {
  return {
    ...{ id: `whole-${table}`, agent: 'synthesizer', files: [fileOf(table)], request: { goal } },
    checks: { ...factChecks(table, columns), ...checks },
  };
}

const WORDS = NOTES.trim().split(/\s+/).length;
const ofGeneralist = (id: string, instructions: string, checks: Record<string, Check>): EvalTask => ({
  ...{ id: `text-${id}`, agent: 'generalist', files: [{ name: 'notes.txt', data: NOTES }] },
  request: {
    ...{ goal: `Read notes.txt (${id})`, options: { summarize: false } },
    plan: { tasks: [{ id: 'read', title: 'Read the notes', instructions, agent: 'generalist' }] },
  },
  checks: { completed, 'file read': called('read_file'), ...checks },
});

export const EVAL_TASKS: readonly EvalTask[] = [
  ofAnalyst('sales', ['units', 'revenue'], 'csv', {
    'trend said': says('that revenue rises', /revenue[^\n]*(ris|grow|increas|up)|(ris|grow|increas)[^\n]*revenue/i),
  }),
  ofAnalyst('sensors', ['temperature'], 'csv', { 'outliers said': says('the outliers', /outlier|unusual|anomal|fence/i) }),
  ofAnalyst('staff', ['salary', 'years']),
  ofAnalyst('clinic', ['wait_minutes', 'age']),
  ofAnalyst('energy', ['kwh', 'price'], 'csv', {
    'trend said': says('that kwh falls', /kwh[^\n]*(fall|declin|decreas|down)|(fall|declin|decreas)[^\n]*kwh/i),
  }),
  ofAnalyst('stock', ['quantity', 'weight']),
  ofAnalyst('sales', ['units', 'revenue'], 'json'),
  ofAnalyst('clinic', ['wait_minutes', 'age'], 'ndjson'),
  ofMakers('code', 'sales'),
  ofMakers('code', 'stock'),
  ofMakers('code', 'clinic'),
  ofMakers('test', 'sales'),
  ofMakers('test', 'energy'),
  ofMakers('test', 'staff'),
  ofMakers('docs', 'sales'),
  ofMakers('docs', 'sensors'),
  ofMakers('docs', 'staff'),
  ofMakers('review', 'sales'),
  ofMakers('review', 'stock'),
  ofMakers('review', 'energy'),
  ofPlanner('team', 'Analyze the data, generate report code, write tests, and document the API', { DATA, CODE, TESTS, DOCS }, 'sales'),
  ofPlanner('review', 'Analyze the data, write report code and review the code', { DATA, CODE, REVIEW }, 'stock'),
  ofPlanner('rest', 'Build a REST API for books, with tests and documentation', { CODE, TESTS, DOCS }),
  ofPlanner('figures', 'Which region sells most? Analyze the data', { DATA }, 'sales'),
  ofGeneralist('words', 'Count the words of notes.txt. Say the number.', { 'words right': states('the number of words', WORDS) }),
  ofGeneralist('subject', 'Say which place notes.txt tells of most, and quote a sentence on it.', {
    'place said': says('the harbour', /harbour/i),
    'really quoted': says(
      'a sentence of the file',
      /The lighthouse stands at the end|Fishers bring herring|The harbour opens at dawn|the harbour is quiet/,
    ),
  }),
  ofGeneralist('lines', 'Say how long notes.txt is, in lines or characters, and which words are frequent.', {
    'word said': says('harbour', /harbour/i),
  }),
  ofWhole('sales', 'Analyze the sales data and report the figures', ['revenue'], { 'report there': leaves(/\.md$/) }),
  ofWhole('staff', 'Analyze the staff data, generate report code and write tests', ['salary'], { 'tests pass': testsPass }),
  ofWhole('energy', 'Analyze the energy data, generate report code, write tests, and document the API', ['kwh'], {
    ...{ 'tests pass': testsPass, 'documents there': leaves(/^docs\/.*\.md$/) },
  }),
];
