import type { AgentSummary, PlanSource, TaskSpec } from '@cadre/contracts';
import { EngineRig, result } from '@cadre/engine/testing';
import { readPlan } from './read-plan.js';

const CATALOGUE: AgentSummary[] = [
  { name: 'generalist', description: 'd', skills: ['general'] },
  { name: 'data-analyst', description: 'd', skills: ['data-analysis', 'general'], tools: ['read_file', 'query'] },
  { name: 'code-reviewer', description: 'd', skills: ['code-review', 'general'] },
  { name: 'coordinator', description: 'd', skills: ['coordination'] },
];

const task = (rest: object = {}): object => ({ id: 'part', title: 'Part', instructions: 'Do the part.', skills: ['general'], ...rest });
const read = (...tasks: object[]) => readPlan({ plan: { tasks }, note: 'Short.' }, CATALOGUE);

function planned(...tasks: object[]): TaskSpec[] {
  const reading = read(...tasks);
  if (!reading.ok) throw new Error(reading.why);
  return reading.read.plan.tasks;
}

function refused(...tasks: object[]): string {
  const reading = read(...tasks);
  if (reading.ok) throw new Error('the plan was accepted');
  return reading.why;
}

/** A run whose planning task gives that plan. */
function running(tasks: TaskSpec[]): EngineRig {
  const rig = new EngineRig();
  rig.start(undefined, { summarize: false });
  rig.complete('plan', result('planned', { plan: { plan: { tasks }, source: 'model' as PlanSource } }));
  return rig;
}

afterEach(() => expect.hasAssertions());

describe('what models write beside the point', () => {
  test('nulls, single words for lists and a missing title are read', () => {
    const [a, b] = planned(
      { id: 'a', title: null, instructions: 'Do a.', skills: 'general', agent: null, estimatedMs: 1200.4 },
      task({ id: 'b', dependsOn: 'a', priority: null, pattern: null }),
    );
    expect(a).toMatchObject({ title: 'a', skills: ['general'], estimatedMs: 1200 });
    expect(b).toMatchObject({ dependsOn: ['a'], priority: 'medium' });
  });

  test('fields that nobody knows are left out, and the note says so', () => {
    const reading = read(task({ colour: 'red', pattern: { kind: 'vote', mood: 'good' } }));
    expect(reading).toMatchObject({
      ok: true,
      read: { note: 'Short. Left out of the plan, as Cadre knows no such fields: colour, pattern.mood.' },
    });
  });

  test.each([
    ['as a list', [task()]],
    ['without the outer object', undefined],
  ])('the tasks %s', (_, plan) => {
    const found = plan === undefined ? { tasks: [task()] } : { plan };
    expect(readPlan(found, CATALOGUE)).toMatchObject({ ok: true, read: { plan: { tasks: [{ id: 'part' }] } } });
  });

  test('a result that a model gives to a task is refused', () => {
    expect(refused(task({ given: { answer: { text: 'made up' } } }))).toContain('given result');
  });

  test.each([
    [task({ priority: 'urgent' }), 'tasks.0.priority'],
    [task({ id: 'two words' }), 'tasks.0.id'],
    [task({ pattern: { kind: 'debate' } }), 'map-reduce'],
    [task({ agent: 'nobody' }), 'nobody'],
  ])('%j is told with its place', (faulty, part) => {
    expect(refused(faulty)).toContain(part);
  });
});

test('why a task is done so is kept, whatever its kind', () => {
  expect(planned(task({ why: 'It comes first.' }), task({ id: 'vote', pattern: { kind: 'vote' }, why: 'Judgement.' }))).toMatchObject([
    { why: 'It comes first.' },
    { why: 'Judgement.', pattern: 'vote' },
  ]);
});

describe('map-reduce', () => {
  const pattern = {
    kind: 'map-reduce',
    over: ['north', 'south', 'a "$ {{west}}"'],
    steps: [{ instructions: 'Read it.', skills: ['data-analysis'] }],
  };

  test('each item is one task, and the task itself makes one result of what they bring', () => {
    const rig = running(planned(task({ pattern }), task({ id: 'next', dependsOn: ['part'] })));
    expect(rig.task('part~2~item-3').spec).toMatchObject({
      instructions: 'Read it.\n\nYour item: a "$ {{west}}"',
      skills: ['data-analysis'],
    });
    for (const item of [0, 1]) rig.complete(`part~${item}~item-${item + 1}`, result(`found ${item}`));
    rig.fail('part~2~item-3');
    expect(rig.begin('part').results.map(({ answer }) => answer)).toEqual([{ text: 'found 0' }, { text: 'found 1' }]);
    rig.finish('part', result('both'));
    expect(rig.task('part')).toMatchObject({ status: 'completed', result: { answer: { text: 'both' }, partial: true } });
    expect(rig.task('next').status).toBe('ready');
    expect(rig.violations()).toEqual([]);
  });

  test('the items may come from a task', () => {
    const of = { ...pattern, over: undefined, from: 'the-list' };
    const rig = running(planned(task({ id: 'the-list' }), task({ pattern: of, dependsOn: ['the-list'] })));
    rig.complete('the-list', result('["x", {"y": 1}]'));
    expect(rig.begin('part~1~step-1').instructions).toBe('Read it.\n\nYour item: {"y":1}');
    rig.complete('part~0~step-1');
    rig.finish('part~1~step-1');
    rig.complete('part', result('all'));
    expect(rig.run().status).toBe('completed');
    expect(rig.violations()).toEqual([]);
  });

  test.each([
    [{ steps: undefined }, 'needs exactly one entry in "steps"'],
    [{ over: undefined }, 'needs its items'],
    [{ over: undefined, from: 'elsewhere' }, 'must have it in "dependsOn"'],
    [{ over: 'x'.repeat(101).split('') }, 'at most 100'],
    [{ from: 'b' }, 'both "over" and "from"'],
  ])('it is refused with words (%#)', (change, words) => {
    expect(refused(task({ pattern: { ...pattern, ...change } }))).toContain(words);
  });
});

describe('pipeline', () => {
  const steps = [{ instructions: 'Clean.' }, { instructions: 'Check.', skills: ['code-review'] }];

  test('each item goes through all stages by itself', () => {
    const rig = running(planned(task({ pattern: { kind: 'pipeline', over: ['a', 'b'], steps } })));
    rig.complete('part~0~item-1~0~step-1');
    expect(rig.begin('part~0~item-1~0~step-2')).toMatchObject({ instructions: 'Check.\n\nYour item: a' });
    rig.finish('part~0~item-1~0~step-2', result('a is fine'));
    rig.complete('part~1~item-2~0~step-1');
    rig.complete('part~1~item-2~0~step-2', result('b is fine'));
    expect(rig.task('part').result?.answer).toEqual({ text: '["a is fine","b is fine"]' });
    expect(rig.violations()).toEqual([]);
  });

  test('without items the stages follow each other once', () => {
    const rig = running(planned(task({ pattern: { kind: 'pipeline', steps } })));
    rig.complete('part~0~step-1');
    rig.complete('part~0~step-2', result('checked'));
    expect(rig.task('part').result?.answer).toEqual({ text: 'checked' });
  });

  test('without stages it is refused', () => {
    expect(refused(task({ pattern: { kind: 'pipeline' } }))).toContain('needs "steps"');
  });
});

describe('vote', () => {
  const ballot = (choice: string, confidence = 0.9) => result(JSON.stringify({ choice, reason: `for ${choice}` }), { confidence });

  test('those who are named vote, and what most say is the result', () => {
    const agents = ['generalist', 'data-analyst', 'code-reviewer'];
    const rig = running(planned(task({ pattern: { kind: 'vote', agents, choices: ['yes', 'no'], majority: 0.6 } })));
    const first = rig.begin('part~0~voice-1');
    expect(first.instructions).toContain('one of "yes", "no"');
    expect(rig.task('part~1~voice-2').wantedAgent).toBe('data-analyst');
    rig.finish('part~0~voice-1', ballot('yes'));
    rig.complete('part~1~voice-2', ballot('no'));
    rig.complete('part~2~voice-3', ballot('yes'));
    expect(JSON.parse((rig.task('part').result!.answer as { text: string }).text)).toMatchObject({
      choice: 'yes',
      votes: 3,
      dissent: [{ choice: 'no' }],
    });
    expect(rig.violations()).toEqual([]);
  });

  test('in rounds each hears what the one before came to, until they agree', () => {
    const rig = running(planned(task({ instructions: 'Is ${{ it }} so?', pattern: { kind: 'vote', count: 2, rounds: 3 } })));
    const voice = (round: number, n: number) => `part~${round}~vote~${n}~voice-${n + 1}`;
    expect(rig.begin(voice(0, 0)).instructions).toMatch(/^Is \$ \{\{ it }} so\?[^]*first one: null$/);
    rig.finish(voice(0, 0), ballot('yes'));
    rig.complete(voice(0, 1), ballot('no'));
    expect(rig.begin(voice(1, 0)).instructions).toContain('for no');
    rig.finish(voice(1, 0), ballot('no'));
    rig.complete(voice(1, 1), ballot('no'));
    expect(rig.task('part')).toMatchObject({ status: 'completed', result: { answer: { text: expect.stringContaining('"choice":"no"') } } });
    expect(rig.violations()).toEqual([]);
  });

  test.each([
    [{ agents: ['generalist'] }, 'between 2 and 9'],
    [{ count: 40 }, 'between 2 and 9'],
    [{ majority: 2 }, 'no fraction'],
    [{ agents: ['generalist', 'nobody'] }, 'In part: Task voice-2 names unknown agents: nobody.'],
  ])('%j is refused with words', (change, words) => {
    expect(refused(task({ pattern: { kind: 'vote', ...change } }))).toContain(words);
  });
});

describe('auction', () => {
  test('all who have the skills bid; the best does it, and the next one when it fails', () => {
    const rig = running(planned(task({ pattern: { kind: 'auction' }, retry: { maxAttempts: 3, backoffMs: 0 } })));
    const bid = (n: number, agent: string, confidence: number) =>
      rig.complete(`part~0~bids~${n}~${agent}`, result('like this', { confidence }));
    bid(0, 'generalist', 0.4);
    bid(1, 'data-analyst', 0.9);
    bid(2, 'code-reviewer', 0.7);
    expect(rig.begin('part~0~job').instructions).toBe('Do the part.');
    expect(rig.task('part~0~job').agent).toBe('data-analyst');
    const error = { code: 'tool-failed', message: 'broke', retriable: true };
    rig.send({ type: 'FailAttempt', taskId: 'part~0~job', attempt: 1, workerId: 'w1', error });
    rig.complete('part~0~job', result('sold'));
    expect(rig.task('part~0~job').agent).toBe('code-reviewer');
    expect(rig.task('part').result?.answer).toEqual({ text: 'sold' });
    expect(rig.violations()).toEqual([]);
  });

  test('one bidder is no auction', () => {
    expect(refused(task({ pattern: { kind: 'auction', agents: ['generalist'] } }))).toContain('two agents at least');
  });
});

describe('swarm', () => {
  const found = (finding: string, done: boolean) => result(JSON.stringify({ finding, done }));
  const voice = (round: number, n: number) => `part~${round}~board~${n}~voice-${n + 1}`;

  test('each round sees the board, and it ends when all are done', () => {
    const rig = running(planned(task({ pattern: { kind: 'swarm', count: 2, rounds: 5 } })));
    rig.complete(voice(0, 0), found('41', false));
    rig.complete(voice(0, 1), found('43', true));
    expect(rig.begin(voice(1, 0)).instructions).toContain('[{"finding":"41","done":false},{"finding":"43","done":true}]');
    rig.finish(voice(1, 0), found('42', true));
    rig.complete(voice(1, 1), found('42', true));
    expect(rig.task('part').result?.answer).toEqual({ text: '[{"finding":"42","done":true},{"finding":"42","done":true}]' });
    expect(rig.violations()).toEqual([]);
  });

  test('the bound ends it, too', () => {
    const rig = running(planned(task({ pattern: { kind: 'swarm', count: 2, rounds: 1 } })));
    rig.complete(voice(0, 0), found('41', false));
    rig.complete(voice(0, 1), found('43', true));
    expect(rig.task('part').status).toBe('completed');
  });
});

describe('hierarchy', () => {
  const pattern = { kind: 'hierarchy', agents: ['data-analyst'] };

  test('a coordinator gets the task, and is told whom to ask', () => {
    expect(planned(task({ pattern }))).toMatchObject([
      { skills: ['coordination'], instructions: 'Do the part.\n\nGive the work to these agents: data-analyst.', pattern: 'hierarchy' },
    ]);
  });

  test('without one it is refused', () => {
    expect(readPlan({ plan: { tasks: [task({ pattern })] } }, CATALOGUE.slice(0, 2))).toMatchObject({
      ok: false,
      why: expect.stringContaining('coordination'),
    });
  });
});

describe('the form of results', () => {
  const resultSchema = { type: 'object', required: ['total'] };

  test('is what the plan says, of a pattern where it makes its result', () => {
    const steps = [{ instructions: 'Read it.' }, { instructions: 'Sum it up.' }];
    const [plain, reduced, staged, sold] = planned(
      task({ resultSchema }),
      task({ id: 'b', resultSchema, pattern: { kind: 'map-reduce', over: ['x'], steps: steps.slice(1) } }),
      task({ id: 'c', resultSchema, pattern: { kind: 'pipeline', steps } }),
      task({ id: 'd', resultSchema, pattern: { kind: 'auction' } }),
    );
    expect(plain?.resultSchema).toEqual(resultSchema);
    expect(reduced?.resultSchema).toEqual(resultSchema);
    expect(reduced?.scope?.body[0]).not.toHaveProperty('resultSchema');
    expect([staged, sold].map((each) => each?.scope?.body.map((part) => part.resultSchema))).toEqual([
      [undefined, resultSchema],
      [undefined, resultSchema],
    ]);
  });

  test('of who votes, explores or makes a list for others is known', () => {
    const [list, , poll, swarm] = planned(
      task({ id: 'list' }),
      task({ dependsOn: ['list'], pattern: { kind: 'pipeline', from: 'list', steps: [{ instructions: 'Read it.' }] } }),
      task({ id: 'c', pattern: { kind: 'vote', choices: ['yes', 'no'] } }),
      task({ id: 'd', pattern: { kind: 'swarm' } }),
    );
    expect(list?.resultSchema).toEqual({ type: 'array', items: { type: 'string' } });
    expect(poll?.scope?.body[0]?.resultSchema).toMatchObject({ properties: { choice: { enum: ['yes', 'no'] } } });
    expect(swarm?.scope?.body[0]?.scope?.body[0]?.resultSchema).toMatchObject({ required: ['finding', 'done'] });
  });

  test('is refused with its place', () => {
    expect(refused(task({ resultSchema: { properties: { a: { type: 'text' } } } }))).toContain('tasks.0.resultSchema.properties.a.type');
    expect(refused(task({ resultSchema, pattern: { kind: 'vote' } }))).toContain('leave "resultSchema" out');
  });
});

describe('what tasks carry', () => {
  const wishes = { thinking: { style: 'critical', directives: ['Doubt it.'] }, peers: ['generalist'] };

  test('is kept, and given to those who do the work', () => {
    const [plain, poll, staged] = planned(
      task({ ...wishes, shares: ['report.md'], priority: 'high', estimatedMs: 5000 }),
      task({ id: 'b', ...wishes, pattern: { kind: 'vote', count: 2 } }),
      task({ id: 'c', ...wishes, shares: 'out', pattern: { kind: 'pipeline', steps: [{ instructions: 'a' }, { instructions: 'b' }] } }),
    );
    expect(plain).toMatchObject({ ...wishes, shares: ['report.md'], priority: 'high', estimatedMs: 5000 });
    expect(poll?.scope?.body).toMatchObject([wishes, wishes]);
    expect(staged?.scope?.body).toMatchObject([wishes, { ...wishes, shares: ['out'] }]);
    for (const engines of [poll, staged]) for (const name of ['thinking', 'peers', 'shares']) expect(engines).not.toHaveProperty(name);
  });
});

describe('an agent of the plan', () => {
  const agent = { name: 'tax-reader', base: 'data-analyst', description: 'Reads.', skills: ['tax-law'], instructions: 'You read tax law.' };
  const withAgents = (agents: object[], ...tasks: object[]) => readPlan({ plan: { tasks, agents } }, CATALOGUE);
  const specialist = { name: 'tax-reader', skills: ['tax-law'], instructions: 'You read tax law.' };

  test('is one that is there, for the tasks that name it or ask for what only it can', () => {
    const reading = withAgents(
      [{ ...agent, tools: ['read_file'], mood: 'good' }],
      task({ agent: 'tax-reader' }),
      task({ id: 'b', skills: ['tax-law'] }),
      task({ id: 'c' }),
      task({ id: 'd', pattern: { kind: 'vote', agents: ['tax-reader', 'generalist'] } }),
    );
    const tasks = reading.ok ? reading.read.plan.tasks : [];
    expect(tasks.slice(0, 2)).toMatchObject(
      [1, 2].map(() => ({ agent: 'data-analyst', specialist: { ...specialist, tools: ['read_file'] } })),
    );
    expect(tasks[2]).not.toHaveProperty('specialist');
    expect(tasks[3]?.scope?.body[0]).toMatchObject({ agent: 'data-analyst', specialist });
    expect(reading).toMatchObject({ read: { note: expect.stringContaining('agents.mood') } });
  });

  test('gets no tool that the one it is made of has not, whatever the plan says', () => {
    const rig = new EngineRig();
    rig.tools = ['read_file', 'query'];
    rig.start(undefined, { summarize: false });
    const tasks = [
      { ...planned(task())[0]!, agent: 'data-analyst', specialist: { ...specialist, description: 'd', tools: ['read_file', 'run_tests'] } },
    ];
    rig.complete('plan', result('planned', { plan: { plan: { tasks }, source: 'model' as PlanSource } }));
    expect(rig.begin('part')).toMatchObject({ tools: ['read_file'], specialist });
    rig.finish('part');
    expect(rig.violations()).toEqual([]);
  });

  test.each([
    [{ tools: ['run_tests', 'query'] }, 'cannot have run_tests: data-analyst has read_file, query'],
    [{ base: 'nobody' }, 'nobody, which is no agent of the catalogue'],
    [{ name: 'generalist' }, 'There is an agent generalist already'],
    [{ skills: ['Tax Law'] }, 'a skill is lower-case'],
    [{ instructions: 'x'.repeat(4001) }, 'instructions'],
  ])('is refused with words (%#)', (change, words) => {
    expect(withAgents([{ ...agent, ...change }], task())).toMatchObject({ ok: false, why: expect.stringContaining(words) });
  });

  test('does not bid: who won would not be known by name', () => {
    const sale = task({ pattern: { kind: 'auction', agents: ['tax-reader', 'generalist'] } });
    expect(withAgents([agent], sale)).toMatchObject({ ok: false, why: expect.stringContaining('tax-reader cannot bid') });
  });
});
