/** The demo's goal as a script: each agent calls the tools that its result rests on, and says only what they have answered. */
import type { Script, ScriptedTurn } from './script.js';
import { callText } from './scripted-model.js';

export const WEATHER = 'seattle-weather.csv';

const task = (id: string, skill: string, dependsOn: string[] = []): object => ({
  ...{ id, title: `The ${id} task`, instructions: `Do the ${id} part of the goal.`, skills: [skill] },
  ...(dependsOn.length > 0 && { dependsOn }),
});
const PLAN = {
  plan: {
    tasks: [
      task('analyse', 'data-analysis'),
      task('code', 'code-generation', ['analyse']),
      task('test', 'testing', ['code']),
      task('docs', 'documentation', ['code']),
      task('review', 'code-review', ['code', 'test']),
    ],
  },
  note: 'The analysis comes first.',
};

const CODE = `/** Counts the rows of a CSV text. */
export function countRows(text: string): number {
  return text.trim().split('\\n').length - 1;
}
`;
const TESTS = `import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { countRows } from './report.ts';

test('counts the rows of the weather', () => {
  assert.equal(countRows(readFileSync('inputs/${WEATHER}', 'utf8')), 1461);
});
`;
const DOCS = '# API\n\n`countRows(text)` counts the rows of a CSV text.\n';

/** Calls one after the other, then the answer. */
function agent(name: string, calls: readonly (readonly [tool: string, args: object])[], answer: string): ScriptedTurn[] {
  // The beginning of its task: results of earlier tasks name their agents, too.
  const says = `{"kind":"work","agent":"${name}"`;
  return [
    ...calls.map(([tool, args], results) => ({ when: { says, results }, say: [callText(tool, args)] })),
    { when: { says }, say: [JSON.stringify({ answer, confidence: 0.9 })] },
  ];
}

const SQL = `SELECT count(*) AS days, round(sum(precipitation), 1) AS rain FROM "seattle_weather"`;

export const DEMO_SCRIPT: Script = {
  window: 65_536,
  turns: [
    { when: { says: '{"kind":"plan"' }, say: [JSON.stringify(PLAN)] },
    ...agent(
      'data-analyst',
      [
        ['profile_data', { file: `inputs/${WEATHER}` }],
        ['query_data', { sql: SQL }],
        ['write_file', { path: 'report.md', text: '# Weather\n\n1461 days, 4426 mm of rain.\n' }],
      ],
      'The file holds 1461 days with 4426 mm of rain in all. Written: `report.md`.',
    ),
    ...agent(
      'code-writer',
      [
        ['write_file', { path: 'src/report.ts', text: CODE }],
        ['check_types', { files: ['src/report.ts'] }],
      ],
      'Written: `src/report.ts`. It type-checks.',
    ),
    ...agent(
      'test-writer',
      [
        ['write_file', { path: 'src/report.test.ts', text: TESTS }],
        ['run_tests', { files: ['src/report.test.ts'] }],
      ],
      '1 test passed, none failed. Written: `src/report.test.ts`.',
    ),
    ...agent(
      'documentation-writer',
      [
        ['describe_api', { files: ['src/report.ts'] }],
        ['write_file', { path: 'docs/API.md', text: DOCS }],
      ],
      'Written: `docs/API.md`.',
    ),
    ...agent('code-reviewer', [['static_checks', { files: ['src/report.ts', 'src/report.test.ts'] }]], 'No errors were found.'),
    {
      when: {},
      say: [
        JSON.stringify({
          answer:
            'The weather data hold 1461 days with 4426 mm of rain (`report.md`). The report code is in `src/report.ts`, its test passes ' +
            '(`src/report.test.ts`), and the API is documented in `docs/API.md`.',
          confidence: 0.9,
          parts: [['report.md'], ['src/report.ts'], ['src/report.test.ts'], ['docs/API.md']].map((where, index) => ({
            part: index + 1,
            done: true,
            where,
          })),
        }),
      ],
    },
  ],
};
