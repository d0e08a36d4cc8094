/**
 * The whole team on a real file: the agents' loop, the real tools, and what they make is compiled, run and compared. More files:
 * `team.slow.spec.ts`.
 */
import { join } from 'node:path';
import { completed, DATA, expectSound, GOAL, TeamRuns } from './testing/team-run.js';

let runs: TeamRuns;
beforeAll(async () => {
  runs = await TeamRuns.open();
});
afterAll(() => runs.close());

const ODD = [
  'first name,class,order-no,per cent %,"a""b",default,`tick${x}`,when at',
  '"Smith, J.",x,1,"1,250.5","q""q",true,5,03/25/2021',
  '"multi\nline",y,2,NA,z,false,6,04/01/2021',
  'é,,3,7.25,\\,true,7,12/31/2021',
].join('\n');

test('report code and its tests for odd column names, quotes, line breaks and grouped numbers type-check and pass', async () => {
  await expectSound(await runs.work(GOAL, [await runs.made('odd names.csv', ODD)]));
});

test('the analysis of a file that holds no table says so', async () => {
  const { answers } = await runs.work('Analyze this', [join(DATA, 'us-10m.json')]);
  expect(answers['analyze']).toMatchObject({ confidence: 0.1, answer: expect.stringContaining('holds no table') });
});

describe('without data', () => {
  test('code of others gets tests of its exports', async () => {
    const team = await runs.team('Test it', []);
    await team.workspace.write('src/sums.ts', '/** Adds. */\nexport function add(a: number, b: number): number {\n  return a + b;\n}\n');
    const outcome = completed(await team.work({ kind: 'work', id: 'test', title: 'Test', instructions: 'Test.', agent: 'test-writer' }));
    expect(outcome.answer).toMatch(/^\*\*1 passed, 0 failed/);
    expect(outcome.answer).toContain('only check that each module loads');
  });

  test('a text is counted and quoted', async () => {
    const notes =
      '# Notes\n\nThe budget of the project is the largest risk of the project. Nobody knows the budget yet.\n\n## Next\n\nAsk.\n';
    const { answers } = await runs.work('Summarize the notes', [await runs.made('notes.md', notes)]);
    expect(answers['work']?.answer).toContain('Headings: Notes · Next');
    expect(answers['work']?.answer).toContain('> The budget of the project is the largest risk of the project.');
  });

  test('what needs a language model is refused plainly', async () => {
    const { answers } = await runs.work('Write a poem about the sea', []);
    expect(answers['answer']).toMatchObject({ confidence: 0.1, answer: expect.stringContaining('needs a language model') });
  });
});

describe('a task that asks for data', () => {
  const analyse = async (field: string) => {
    const team = await runs.team('Analyze the sales', [await runs.made('sums.csv', 'region,revenue\nnorth,10\nsouth,20\nwest,60\n')]);
    const resultSchema = {
      type: 'object',
      properties: { rows: { type: 'integer' }, [field]: { type: 'number' } },
      required: ['rows', field],
    };
    const task = { id: 'analyze', title: 'Analyze', instructions: 'Analyze.', agent: 'data-analyst' };
    return team.work({ kind: 'work', ...task, resultSchema });
  };

  test('is answered from what the tools have said', async () => {
    expect(JSON.parse(completed(await analyse('meanRevenue')).answer)).toEqual({ rows: 3, meanRevenue: 30 });
  });

  test('fails with words where they have not said it, and nothing is made up', async () => {
    expect(await analyse('profit')).toMatchObject({ kind: 'failed', error: { code: 'result-invalid' } });
  });
});
