import type { ArtifactRef } from '@cadre/contracts';
import { Plan } from '@cadre/contracts';
import { templatePlan } from './template-plan.js';
import { validatePlan } from './validate-plan.js';

const csv: ArtifactRef = { name: 'weather.csv', sha256: '0'.repeat(64), size: 1, mediaType: 'text/csv' };
const text: ArtifactRef = { ...csv, name: 'notes.md', mediaType: 'text/markdown' };

function shape(goal: string, inputs: ArtifactRef[] = [csv]): string {
  const { plan, kind } = templatePlan(goal, inputs);
  expect(Plan.parse(plan)).toEqual(plan);
  expect(validatePlan(plan.tasks)).toEqual([]);
  expect(plan.tasks.every((task) => (task.estimatedMs ?? 0) > 0 && task.skills.length > 0)).toBe(true);
  return `${kind}: ${plan.tasks.map((task) => `${task.id}[${task.skills.join()}](${task.dependsOn.join()})`).join(' ')}`;
}

test('the goal of the demonstration', () => {
  expect(shape('Analyze the weather data, generate report code, write tests, and document the API')).toBe(
    'mixed: analyze[data-analysis]() code[code-generation](analyze) test[testing](code) docs[documentation](code) review[code-review](code,test)',
  );
});

const ANALYSIS = 'analysis: collect[data-analysis]() analyze[data-analysis](collect) report[data-analysis,visualization](collect,analyze)';
const STEPS = 'collect,analyze,report';
const TESTED = 'mixed: analyze[data-analysis]() code[code-generation](analyze) test[testing](code) review[code-review](code,test)';
const DEVELOPMENT =
  'requirements[general]() design[general](requirements) implement[code-generation](requirements,design) test[testing](requirements,implement)';
const WITH_DOCS = `${DEVELOPMENT} docs[documentation](design,implement) review[code-review](implement,test)`;

test.each([
  ['analyze customer data trends', ANALYSIS],
  ['Find anomalies in the readings and plot them', ANALYSIS],
  ['Generate final report', ANALYSIS],
  [
    'Analyse sales.csv and write a script that repeats it',
    'mixed: analyze[data-analysis]() code[code-generation](analyze) review[code-review](code)',
  ],
  [
    'Write tests for the report',
    'mixed: analyze[data-analysis]() code[code-generation](analyze) test[testing](code) review[code-review](code,test)',
  ],
  ['Document the columns', 'mixed: analyze[data-analysis]() docs[documentation](analyze)'],
  ['Explore the data and document what it holds', 'mixed: analyze[data-analysis]() docs[documentation](analyze)'],
  [
    'Analyze the data, then translate the report into Spanish',
    'mixed: collect[data-analysis]() analyze[data-analysis](collect) report[data-analysis,visualization](collect,analyze) part-1[general](collect,analyze,report)',
  ],
  ['Summarize the file', ANALYSIS],
  [
    'What is the total rain per month? Which month was the wettest?',
    `${ANALYSIS.replace('analysis', 'mixed')} part-1[general](${STEPS}) part-2[general](${STEPS})`,
  ],
  ['Analysiere die Wetterdaten und schreibe Tests', TESTED],
  ['分析天气数据并编写测试', TESTED],
  [
    'Generate report code, but do not write tests or documentation',
    'mixed: analyze[data-analysis]() code[code-generation](analyze) review[code-review](code)',
  ],
  ['Which month was the wettest?', 'generic: work[data-analysis]()'],
  ['Email the boss', 'generic: work[data-analysis]()'],
])('%s, with data', (goal, expected) => {
  expect(shape(goal)).toBe(expected);
});

test.each([
  ['develop authentication system', `development: ${DEVELOPMENT}`],
  [
    'Build a REST API for user management with:\n1. User CRUD operations\n2. Authentication\n3. Unit tests\n4. API documentation',
    `development: ${WITH_DOCS}`,
  ],
  ['Build a REST API for books without tests', `development: ${DEVELOPMENT.replace(/ test.*/, '')}`],
  ['Please build a parser for dates; then document it and review the code', `development: ${WITH_DOCS}`],
  ['Build an API and deploy it to AWS', `mixed: ${DEVELOPMENT} part-1[general](requirements,design,implement,test)`],
  ['Write tests and document the API', 'mixed: test[testing]() docs[documentation]()'],
  ['Document the API', 'generic: docs[documentation]()'],
  ['Research current market trends', 'research: collect[general]() assess[general](collect) report[general](collect,assess)'],
  ['Write a poem about the sea', 'writing: outline[general]() draft[general](outline) revise[general](outline,draft)'],
  [
    '1. Draft a privacy policy\n2. Draft terms of service\n3. List our cookies',
    'list: part-1[general]() part-2[general]() part-3[general]()',
  ],
  ['Plan the trip, then book the hotel', 'list: part-1[general]() part-2[general]()'],
  ['Say hello', 'generic: work[general]()'],
  ['Napisz wiersz o morzu', 'writing: outline[general]() draft[general](outline) revise[general](outline,draft)'],
])('%s, without data', (goal, expected) => {
  expect(shape(goal, [])).toBe(expected);
});

test('the tables of the seeds: priorities, durations, skills', () => {
  const table = (goal: string, inputs = [csv]) =>
    templatePlan(goal, inputs).plan.tasks.map(({ title, priority, estimatedMs }) => [title, priority, estimatedMs]);
  expect(table('analyze customer data trends')).toEqual([
    ['Collect the data', 'high', 5000],
    ['Analyze the data', 'high', 10_000],
    ['Write the report', 'medium', 8000],
  ]);
  expect(table('develop authentication system', [])).toEqual([
    ['Write down the requirements', 'high', 5000],
    ['Design the solution', 'high', 5000],
    ['Write the code', 'high', 10_000],
    ['Write and run the tests', 'medium', 10_000],
  ]);
});

test('without data the generalist does what the analyst would', () => {
  expect(shape('analyze customer data trends', [text])).toBe(
    'analysis: collect[general]() analyze[general](collect) report[general](collect,analyze)',
  );
  expect(templatePlan('analyze it', []).plan.tasks[0]?.instructions).toContain('No data file');
});

test('a goal of any content gives a plan', () => {
  for (const goal of ['', ' . ', '😀'.repeat(4000), 'and then '.repeat(500), '\u0000']) shape(goal);
});
