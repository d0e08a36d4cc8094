/**
 * Plans of the deterministic model, read as a worker reads them: patterns where a goal asks for them, and every part of the goals of the
 * documents.
 */
import { readFinal } from '@cadre/agents';
import { mediaTypeOf, type Plan } from '@cadre/contracts';
import { respond } from '../respond.js';
import { SEED_GOALS } from '../testing/seed-goals.js';
import { ChatRequest } from '../wire/request.js';

const CATALOGUE = [
  { name: 'data-analyst', description: 'A', skills: ['data-analysis', 'visualization'] },
  { name: 'second-analyst', description: 'A', skills: ['data-analysis'] },
  { name: 'code-writer', description: 'A', skills: ['code-generation'] },
  { name: 'test-writer', description: 'A', skills: ['testing'] },
  { name: 'documentation-writer', description: 'A', skills: ['documentation'] },
  { name: 'code-reviewer', description: 'A', skills: ['code-review'] },
  { name: 'generalist', description: 'A', skills: ['planning', 'synthesis', 'general'] },
];

function planned(goal: string, files: readonly string[] = []): Plan['tasks'] {
  const inputs = files.map((name) => ({ name, size: 1, mediaType: mediaTypeOf(name) }));
  const brief = { kind: 'plan', goal, inputs, catalogue: CATALOGUE };
  const request = ChatRequest.parse({ model: 'cadre-sim-1', messages: [{ role: 'user', content: JSON.stringify(brief) }] });
  const reading = readFinal(respond(request, (text) => text.length / 4).text, { kind: 'plan', form: 'json', catalogue: CATALOGUE });
  if (!reading.ok) throw new Error(reading.why);
  return reading.reply.plan?.plan.tasks ?? [];
}

const SALES = ['q1.csv', 'q2.csv'];

test.each([
  ['Decide by vote between tea, coffee and milk', [], 'vote', 3],
  ['Build consensus from expert opinions', [], 'vote', 3],
  ['Let four experts judge the plan by consensus', [], 'vote', 4],
  ['Explore the question of names as a swarm', [], 'swarm', 1],
  ['Analyze each file with map-reduce', SALES, 'map-reduce', 2],
  ['Analyze the sales data by auction', ['q1.csv'], 'auction', 2],
  ['Handle the letter as a pipeline of draft, revision and polish', [], 'pipeline', 3],
] as const)('%s', (goal, files, pattern, size) => {
  const task = planned(goal, files).find((each) => each.pattern !== undefined);
  expect(task).toMatchObject({ pattern, why: expect.stringMatching(/^The goal /), scope: { body: expect.any(Array) } });
  expect(task?.scope?.body).toHaveLength(size);
});

test('what is voted for is what the goal names', () => {
  expect(JSON.stringify(planned('Decide by vote between tea, coffee and milk'))).toContain('"enum":["tea","coffee","milk"]');
});

test.each([
  ['Write code for a data pipeline', []],
  ['Build a REST API for auctions, with tests', []],
  ['Write about the votes of the last election', []],
  ['Write about swarms of bees', []],
  ['Analyze each file', ['q1.csv']],
])('%s asks for no pattern', (goal, files) => {
  expect(planned(goal, files).filter(({ pattern }) => pattern !== undefined)).toEqual([]);
});

/** By hand, in the order of the goals: the tasks that all parts of each come to. */
const TEAM = 'analyze code test docs review';
const STUDY = 'collect analyze report';
const BUILT = 'requirements design implement test';
const IDS = [
  ...[TEAM, TEAM, TEAM, STUDY, STUDY, STUDY, STUDY, `${BUILT} docs review`, BUILT, STUDY, STUDY, BUILT, STUDY, STUDY, STUDY],
  ...[`${STUDY} part-1 part-2`, 'collect assess report', STUDY, 'work', 'review', 'work', 'work', 'work', 'analyze code review', 'work'],
  ...[STUDY, 'work', 'work'],
];

test('there is a plan for each goal of the documents', () => expect(IDS).toHaveLength(SEED_GOALS.length));

test.each(SEED_GOALS.map(({ goal, files = [] }, index) => [goal, files, IDS[index]] as const))(
  'every part of "%s" %j is in its plan',
  (goal, files, ids) => {
    expect(
      planned(goal, files)
        .map(({ id }) => id)
        .join(' '),
    ).toBe(ids);
  },
);

test('parts that are of no known kind stand in their tasks word by word', () => {
  const said = planned(
    'Analyze the implications of quantum computing\n- Evaluate current mitigation strategies\n- Identify knowledge gaps',
  );
  expect(JSON.stringify(said)).toMatch(/Evaluate current mitigation strategies.*Identify knowledge gaps/);
});
