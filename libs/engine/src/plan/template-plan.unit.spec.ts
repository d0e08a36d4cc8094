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
    'mixed: analyse[data-analysis]() code[code-generation](analyse) tests[testing](code) docs[documentation](code) review[code-review](code,tests,docs)',
  );
});

test.each([
  [
    'analyze customer data trends',
    'analysis: collect[data-analysis]() analyse[data-analysis](collect) report[data-analysis,visualization](collect,analyse)',
  ],
  [
    'Find anomalies in the readings and plot them',
    'analysis: collect[data-analysis]() analyse[data-analysis](collect) report[data-analysis,visualization](collect,analyse)',
  ],
  [
    'develop authentication system',
    'development: requirements[general]() design[general](requirements) implement[code-generation](requirements,design) test[testing](requirements,implement)',
  ],
  [
    'Please build a parser for dates; then document it and review the code',
    'development: requirements[general]() design[general](requirements) implement[code-generation](requirements,design) test[testing](requirements,implement) docs[documentation](design,implement) review[code-review](implement,test,docs)',
  ],
  [
    'Analyse sales.csv and write a script that repeats it',
    'mixed: analyse[data-analysis]() code[code-generation](analyse) review[code-review](code)',
  ],
  ['Explore the data and document what it holds', 'mixed: analyse[data-analysis]() docs[documentation](analyse)'],
  ['Write tests and document the API', 'mixed: tests[testing]() docs[documentation]()'],
  ['Document the API', 'generic: work[documentation]()'],
  ['Which month was the wettest?', 'generic: work[data-analysis]()'],
])('%s', (goal, expected) => {
  expect(shape(goal)).toBe(expected);
});

test('without data the generalist does what the analyst would', () => {
  expect(shape('analyze customer data trends', [text])).toBe(
    'analysis: collect[general]() analyse[general](collect) report[general](collect,analyse)',
  );
  expect(shape('Say hello', [])).toBe('generic: work[general]()');
  expect(templatePlan('analyze it', []).plan.tasks[0]?.instructions).toContain('No data file');
});

test('a goal of any content gives a plan', () => {
  for (const goal of ['', ' . ', '😀'.repeat(4000), 'and then '.repeat(500), '\u0000']) shape(goal);
});
