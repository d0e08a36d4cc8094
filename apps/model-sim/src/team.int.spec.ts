/** The whole team on real files: the agents' loop, the real tools, and what they make is compiled, run and compared. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Plan } from '@cadre/contracts';
import { DuckDBInstance } from '@duckdb/node-api';
import { parseProfile } from './analysis/profile-json.js';
import { AGENTS, Team } from './testing/team.js';
import type { TeamOutcome } from './testing/team.js';

const DATA = new URL('../../../node_modules/vega-datasets/data/', import.meta.url).pathname;
const GOAL = 'Analyze the data, generate report code, write tests, and document the API';

let folder: string;
const teams: Team[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cadre-model-sim-'));
});
afterAll(async () => {
  for (const team of teams) await team.close();
  await rm(folder, { recursive: true, force: true });
});

type Completed = Extract<TeamOutcome, { kind: 'completed' }>;

function completed(outcome: TeamOutcome): Completed {
  if (outcome.kind === 'failed') throw new Error(`${outcome.error.code}: ${outcome.error.message}`);
  return outcome;
}

function agentFor(skills: string[]): string {
  const found = Object.entries(AGENTS).find(([, agent]) => skills.every((skill) => agent.skills.includes(skill)));
  return found?.[0] ?? 'generalist';
}

interface Run {
  team: Team;
  ids: string[];
  answers: Record<string, Completed>;
}

/** Plans, works on all tasks in order, and answers. */
async function work(goal: string, files: string[]): Promise<Run> {
  const team = await Team.of(goal, files);
  teams.push(team);
  const planned = completed(await team.work({ kind: 'plan', id: 'plan', title: 'Plan', instructions: 'Plan.', agent: 'generalist' }));
  const { tasks } = Plan.parse(planned.plan?.plan);
  const answers: Record<string, Completed> = {};
  for (const { id, title, instructions, skills } of tasks) {
    answers[id] = completed(await team.work({ kind: 'work', id, title, instructions, agent: agentFor(skills) }));
  }
  answers['answer'] = completed(
    await team.work({ kind: 'answer', id: 'answer', title: 'Answer', instructions: 'Answer.', agent: 'generalist' }),
  );
  return { team, ids: tasks.map((task) => task.id), answers };
}

const ODD = [
  'first name,class,order-no,per cent %,"a""b",default,`tick${x}`,when at',
  '"Smith, J.",x,1,"1,250.5","q""q",true,5,03/25/2021',
  '"multi\nline",y,2,NA,z,false,6,04/01/2021',
  'é,,3,7.25,\\,true,7,12/31/2021',
].join('\n');

async function made(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

async function parquet(name: string, sql: string): Promise<string> {
  const path = join(folder, name);
  const instance = await DuckDBInstance.create();
  const db = await instance.connect();
  await db.run(`COPY (${sql}) TO '${path}' (FORMAT parquet)`);
  db.closeSync();
  instance.closeSync();
  return path;
}

const FILES: [string, () => Promise<string>][] = [
  ['odd column names, quotes, line breaks, grouped numbers', () => made('odd names.csv', ODD)],
  ['Parquet', () => parquet('small.parquet', `SELECT * FROM read_csv('${join(DATA, 'seattle-weather.csv')}') LIMIT 120`)],
];

async function expectSound({ team, ids, answers }: Run): Promise<void> {
  expect(ids).toEqual(['analyze', 'code', 'test', 'docs', 'review']);
  expect(answers['code']?.answer).toContain('Type check (strict): no errors.');
  expect(answers['test']?.answer).toMatch(/^\*\*[1-9]\d* passed, 0 failed, 0 skipped\*\*/);
  expect(answers['review']?.answer).toMatch(/^\*\*Verdict: no objections\.\*\* 0 errors, 0 warnings/);
  expect(parseProfile(await team.read('data/profile.json'))?.profiles[0]?.rows).toBeGreaterThan(0);
  expect(await team.run('src/main.ts')).toMatch(/^# Report on [\s\S]*\nRows: \d+, columns: \d+\./);
  await team.workspace.write('example.ts', /```ts\n([\s\S]*?)```/.exec(await team.read('docs/API.md'))?.[1] ?? 'missing');
  expect(await team.run('example.ts')).toMatch(/^\d+\n# Report on /);
  for (const { answer } of Object.values(answers)) expect(answer).toContain('No language model was used');
  expect(answers['answer']?.answer.split('\n').length).toBeLessThan(75);
  for (const call of team.calls) expect(call).toMatchObject({ ok: true });
}

describe('report code and its tests', () => {
  test.each(FILES)(
    'for %s type-check and pass',
    async (_, file) => {
      await expectSound(await work(GOAL, [await file()]));
    },
    120_000,
  );
});

describe('the analysis', () => {
  test('states figures that are right', async () => {
    const run = await work('Analyze the weather data, generate report code, write tests, and document the API', [
      join(DATA, 'seattle-weather.csv'),
    ]);
    await expectSound(run);
    const { team, answers } = run;
    const rows = (await readFile(join(DATA, 'seattle-weather.csv'), 'utf8'))
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','));
    const maxima = rows.map((row) => Number(row[2]));
    const mean = maxima.reduce((sum, value) => sum + value, 0) / maxima.length;
    const rainy = rows.filter((row) => row[5]?.trim() === 'rain').length;
    const { answer } = answers['answer'] ?? { answer: '' };
    expect(answer).toContain(
      `\`inputs/seattle-weather.csv\` has ${rows.length} rows and 6 columns, \`date\` from 2012-01-01 to 2015-12-31.`,
    );
    expect(answer).toContain(`\`temp_max\` ranges from ${Math.min(...maxima)} to ${Math.max(...maxima)}, with mean ${mean.toFixed(2)}`);
    expect(answer).toContain(`The most frequent \`weather\` is rain with ${rainy} rows`);
    const inYear = (year: string): number => {
      const values = rows.filter((row) => row[0]?.startsWith(year)).map((row) => Number(row[2]));
      return Number((values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(2));
    };
    expect(answer).toContain(`the mean of \`temp_max\` rises every year from ${inYear('2012')} in 2012 to ${inYear('2015')} in 2015`);
    const report = await team.read('report.md');
    const charts = [...report.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map((match) => match[1] ?? '');
    expect(charts.length).toBeGreaterThanOrEqual(3);
    for (const chart of charts) expect(await team.read(chart)).toMatch(/^<svg [\s\S]*<\/svg>/);
  }, 120_000);

  test('of several files has a part for each, and code for the one with most to tell', async () => {
    const { team, answers } = await work('Analyze both files and write report code', [
      join(DATA, 'monarchs.json'),
      join(DATA, 'stocks.csv'),
    ]);
    expect(await team.read('report.md')).toMatch(/## File `inputs\/monarchs.json`[\s\S]*## File `inputs\/stocks.csv`/);
    expect(answers['code']?.answer).toMatch(/Report code for `inputs\/stocks.csv`[\s\S]*Left out: `inputs\/monarchs.json`/);
  }, 120_000);

  test('of a wide table keeps within what one reply can hold', async () => {
    const names = Array.from({ length: 150 }, (_, i) => `some rather long column name ${i}`);
    const rows = Array.from({ length: 40 }, (_, r) => names.map((_name, i) => (r * 37 + i * 11) % 97));
    const { answers } = await work(GOAL, [await made('broad.csv', [names, ...rows].map((row) => row.join(',')).join('\n'))]);
    expect(answers['code']?.answer).toContain('Type check (strict): no errors.');
    expect(answers['test']?.answer).toMatch(/ passed, 0 failed, 0 skipped/);
  }, 120_000);

  test('of a file that holds no table says so', async () => {
    const { answers } = await work('Analyze this', [join(DATA, 'us-10m.json')]);
    expect(answers['analyze']).toMatchObject({ confidence: 0.1, answer: expect.stringContaining('holds no table') });
  }, 120_000);
});

describe('without data', () => {
  test('a REST module is written, tested, documented and reviewed', async () => {
    const { team, ids, answers } = await work('Build a REST API for categories, write tests and document it', []);
    expect(ids).toEqual(['code', 'test', 'docs', 'review']);
    expect(answers['code']?.answer).toContain('Type check (strict): no errors.');
    expect(answers['test']?.answer).toMatch(/^\*\*[1-9]\d* passed, 0 failed, 0 skipped\*\*/);
    expect(await team.read('src/store.ts')).toContain('export interface Category {');
    expect(await team.read('docs/API.md')).toContain('/categories/{id}');
  }, 120_000);

  test('code of others gets tests of its exports', async () => {
    const team = await Team.of('Test it', []);
    teams.push(team);
    await team.workspace.write('src/sums.ts', '/** Adds. */\nexport function add(a: number, b: number): number {\n  return a + b;\n}\n');
    const outcome = completed(await team.work({ kind: 'work', id: 'test', title: 'Test', instructions: 'Test.', agent: 'test-writer' }));
    expect(outcome.answer).toMatch(/^\*\*1 passed, 0 failed/);
    expect(outcome.answer).toContain('only check that each module loads');
  }, 120_000);

  test('a text is counted and quoted', async () => {
    const notes =
      '# Notes\n\nThe budget of the project is the largest risk of the project. Nobody knows the budget yet.\n\n## Next\n\nAsk.\n';
    const { answers } = await work('Summarize the notes', [await made('notes.md', notes)]);
    expect(answers['work']?.answer).toContain('Headings: Notes · Next');
    expect(answers['work']?.answer).toContain('> The budget of the project is the largest risk of the project.');
  });

  test('what needs a language model is refused plainly', async () => {
    const { answers } = await work('Write a poem about the sea', []);
    expect(answers['answer']).toMatchObject({ confidence: 0.1, answer: expect.stringContaining('need a language model') });
  });
});
