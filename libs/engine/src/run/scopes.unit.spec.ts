import { placeOf } from '@cadre/contracts';
import type { TaskSpecInput } from '@cadre/contracts';
import { result, task, type EngineRig } from '../testing/engine-rig.js';
import { answerOf, scope, started, statuses, wake, work, type ScopeInput } from '../testing/scope-steps.js';

const expectSound = (rig: EngineRig) => expect(rig.violations()).toEqual([]);

describe('fan-out over a list', () => {
  const over = '["x", "y", "z"]';
  const analyze = task('analyze', { instructions: 'Analyze ${{ item }} (${{ index }})', templated: true });

  test('each item is a copy of the body, filled in, and the results are a list', () => {
    const rig = started([scope('map', { over, body: [analyze] }), task('reduce', { dependsOn: ['map'] })]);
    expect(Object.keys(rig.run().tasks)).toEqual(['map', 'reduce', 'map~0~analyze', 'map~1~analyze', 'map~2~analyze']);
    expect(rig.run().tasks['map~1~analyze']?.spec.instructions).toBe('Analyze y (1)');
    work(rig, (id) => `"${placeOf(id)?.item ?? 'all'}"`);
    expect(answerOf(rig, 'map')).toEqual(['0', '1', '2']);
    expect(rig.run().status).toBe('completed');
    expectSound(rig);
  });

  test('the one who depends on it is shown what each item brought', () => {
    const rig = started([scope('map', { over, body: [analyze] }), task('reduce', { dependsOn: ['map'] })]);
    for (const i of [0, 1, 2]) rig.complete(`map~${i}~analyze`);
    const { results } = rig.begin('reduce');
    expect(results.map(({ taskId }) => taskId)).toEqual(['map', 'map~0~analyze', 'map~1~analyze', 'map~2~analyze']);
  });

  test('no more items are at work than it is wide', () => {
    const rig = started([scope('map', { over, width: 2, body: [analyze] })]);
    expect(Object.keys(rig.run().tasks)).toHaveLength(3);
    rig.complete('map~1~analyze', result());
    expect(statuses(rig)).toMatchObject({ 'map~0~analyze': 'ready', 'map~2~analyze': 'ready', map: 'open' });
    work(rig);
    expectSound(rig);
  });

  test('an empty list is done at once', () => {
    const rig = started([scope('map', { over: '[]', body: [analyze] }), task('next', { dependsOn: ['map'] })]);
    expect(statuses(rig)).toEqual({ map: 'completed', next: 'ready' });
    work(rig);
    expectSound(rig);
  });

  test.each([
    ['"x"', 'it gives no list'],
    ['results.first.value', 'it gives no list'],
    ['params.many', 'No such key'],
  ])('a list that cannot be made (%s) fails the scope, and the run says why', (bad, why) => {
    const rig = started([task('first'), scope('map', { over: bad, body: [analyze] }, { dependsOn: ['first'] })]);
    work(rig, () => 'text');
    expect(rig.run()).toMatchObject({ status: 'failed', error: { message: expect.stringContaining(why) } });
    expectSound(rig);
  });

  test('items flow through the stages by themselves: a pipeline', () => {
    const stages = [task('one'), task('two', { dependsOn: ['one'] })];
    const rig = started([scope('line', { over, body: stages })]);
    for (const id of ['line~0~one', 'line~1~one']) {
      rig.complete(id, result());
    }
    expect(statuses(rig)).toMatchObject({ 'line~0~two': 'ready', 'line~1~two': 'ready', 'line~2~one': 'ready', 'line~2~two': 'waiting' });
    work(rig);
    expect(answerOf(rig, 'line')).toBeDefined();
    expectSound(rig);
  });
});

describe('join rules', () => {
  const branches = (join: ScopeInput['join'], rest: Partial<ScopeInput> = {}): ScopeInput => ({
    branches: true,
    body: [task('a'), task('b'), task('c')],
    join,
    ...rest,
  });
  const failing =
    (...names: string[]) =>
    (id: string) =>
      names.includes(placeOf(id)?.name ?? '') ? undefined : `"${id}"`;

  test.each<[string, ScopeInput['join'], string[], string, string[]]>([
    ['all, all good', {}, [], 'completed', ['a', 'b', 'c']],
    ['all, one bad', {}, ['b'], 'failed', ['a', 'b']],
    ['any, first good', { need: 'any' }, [], 'completed', ['a']],
    ['any, first bad', { need: 'any' }, ['a'], 'completed', ['a', 'b']],
    ['any, all bad', { need: 'any' }, ['a', 'b', 'c'], 'failed', ['a', 'b', 'c']],
    ['two', { need: 2 }, ['a'], 'completed', ['a', 'b', 'c']],
    ['two, not possible any more', { need: 2 }, ['a', 'b'], 'failed', ['a', 'b']],
    ['none needed, all waited for', { need: 0, until: 'ended' }, ['a', 'b', 'c'], 'completed', ['a', 'b', 'c']],
    ['a share, all waited for', { need: { share: 0.6 }, until: 'ended' }, ['a'], 'completed', ['a', 'b', 'c']],
    ['a share that is missed', { need: { share: 0.8 }, until: 'ended' }, ['a'], 'failed', ['a', 'b', 'c']],
  ])('%s', (_, join, bad, status, asked) => {
    const rig = started([scope('s', branches(join))]);
    const done = work(rig, failing(...bad));
    expect(done.map((id) => placeOf(id)?.name)).toEqual(asked);
    expect(statuses(rig)['s']).toBe(status);
    expectSound(rig);
  });

  test('what is not needed any more is cancelled, whoever is at it', () => {
    const rig = started([scope('s', branches({ need: 'any' })), task('next', { dependsOn: ['s'] })]);
    rig.begin('s~1~b');
    rig.complete('s~0~a', result('"first"'));
    expect(statuses(rig)).toEqual({ s: 'completed', next: 'ready', 's~0~a': 'completed', 's~1~b': 'cancelled', 's~2~c': 'cancelled' });
    expect(rig.finish('s~1~b').outcome).toBe('rejected');
    expectSound(rig);
  });

  test('failures that are allowed for make a partial result', () => {
    const rig = started([scope('s', branches({ need: 2, until: 'ended' }, { combine: { by: 'object' } }))]);
    work(rig, failing('b'));
    expect(answerOf(rig, 's')).toEqual({ a: 's~0~a', c: 's~2~c' });
    expect(rig.run()).toMatchObject({ status: 'completed', partial: true });
    expectSound(rig);
  });

  test.each([
    [1, 'completed'],
    [2, 'failed'],
  ])('at its deadline what is there counts: %i needed', (need, status) => {
    const rig = started([scope('s', branches({ need, until: 'ended', deadlineMs: 1000 }))]);
    rig.complete('s~0~a', result());
    expect(wake(rig, 's').outcome).toBe('rejected');
    rig.now += 1000;
    expect(wake(rig, 's').outcome).toBe('accepted');
    expect(statuses(rig)['s']).toBe(status);
    expect(rig.run().tasks['s']?.result?.partial).toBe(status === 'completed' ? true : undefined);
    expectSound(rig);
  });
});

describe('rounds', () => {
  const loop = (repeat: ScopeInput['repeat']): TaskSpecInput =>
    scope('loop', {
      repeat,
      body: [task('draft', { templated: true, input: { last: '${{ previous }}', round: '${{ round }}' } })],
      combine: { by: 'last' },
    });

  test('go on until the expression holds', () => {
    const rig = started([loop({ max: 5, until: 'results.draft.value >= 2' })]);
    const done = work(rig, (id) => String(placeOf(id)?.item));
    expect(done).toEqual(['loop~0~draft', 'loop~1~draft', 'loop~2~draft']);
    expect(rig.run().tasks['loop~1~draft']?.spec.input).toEqual({ last: 0, round: 2 });
    expect(answerOf(rig, 'loop')).toBe(2);
    expectSound(rig);
  });

  test.each<['accept' | 'fail', string]>([
    ['accept', 'completed'],
    ['fail', 'failed'],
  ])('the bound is kept: %s', (atBound, status) => {
    const rig = started([loop({ max: 2, until: 'false', atBound })]);
    expect(work(rig, () => '1')).toHaveLength(2);
    expect(statuses(rig)['loop']).toBe(status);
    expectSound(rig);
  });
});

describe('combining', () => {
  const vote = (rule: object, votes: [string, number][]) => {
    const body = votes.map((_, i) => task(`v${i}`));
    const rig = started([scope('s', { branches: true, body, join: { need: 0, until: 'ended' }, combine: { by: 'vote', ...rule } })]);
    for (const [i, [text, confidence]] of votes.entries()) {
      const id = `s~${i}~v${i}`;
      if (text === '') rig.fail(id);
      else rig.complete(id, result(text, { confidence }));
    }
    expectSound(rig);
    return rig;
  };

  test('most votes win, whatever the letters; dissent is told', () => {
    const rig = vote({}, [
      ['Yes', 0.5],
      ['{"choice": "no", "reason": "too dear"}', 0.9],
      ['yes ', 0.4],
    ]);
    expect(answerOf(rig, 's')).toMatchObject({
      choice: 'Yes',
      votes: 3,
      voters: 3,
      dissent: [{ choice: 'no', voters: [{ reason: 'too dear' }] }],
    });
  });

  test('weighted by confidence another wins', () => {
    const rig = vote({ weighted: true }, [
      ['yes', 0.3],
      ['no', 0.9],
      ['yes', 0.4],
    ]);
    expect(answerOf(rig, 's')).toMatchObject({ choice: 'no' });
  });

  test.each<[object, [string, number][], string]>([
    [
      { quorum: 0.8 },
      [
        ['yes', 1],
        ['yes', 1],
        ['', 1],
      ],
      'no-quorum',
    ],
    [
      { threshold: 0.7 },
      [
        ['yes', 1],
        ['yes', 1],
        ['no', 1],
      ],
      'no-decision',
    ],
    [
      { tie: 'fail' },
      [
        ['yes', 1],
        ['no', 1],
      ],
      'no-decision',
    ],
  ])('%j is no decision', (rule, votes, code) => {
    expect(vote(rule, votes).run().tasks['s']?.error?.code).toBe(code);
  });

  test('objects are merged; conflicts are listed with their sources', () => {
    const body = [task('a', { agent: 'ann' }), task('b', { agent: 'bob' })];
    const rig = started([scope('s', { branches: true, body, combine: { by: 'merge' } })]);
    for (const [id, text, confidence] of [
      ['s~0~a', '{"x": 1, "y": 2}', 0.4],
      ['s~1~b', '{"y": 3, "z": 4}', 0.8],
    ] as const) {
      rig.complete(id, result(text, { confidence }));
    }
    expect(answerOf(rig, 's')).toEqual({
      result: { x: 1, y: 3, z: 4 },
      conflicts: [
        {
          field: 'y',
          kept: 'bob',
          values: [
            { by: 'ann', confidence: 0.4, value: 2 },
            { by: 'bob', confidence: 0.8, value: 3 },
          ],
        },
      ],
    });
    expectSound(rig);
  });

  test('the best by a score; and all in order, for who awards the work', () => {
    const bids = scope('bids', {
      over: '["ann", "bob", "cid"]',
      body: [task('bid', { agentFrom: 'item' })],
      combine: { by: 'rank', score: 'value.score' },
    });
    const job = task('job', { dependsOn: ['bids'], agentFrom: 'results.bids.value.map(b, b.agent)' });
    const rig = started([bids, job]);
    const scores: Record<string, number> = { ann: 1, bob: 3, cid: 2 };
    for (const [i, agent] of ['ann', 'bob', 'cid'].entries()) {
      rig.complete(`bids~${i}~bid`, result(JSON.stringify({ score: scores[agent] })));
    }
    expect(rig.run().tasks['job']).toMatchObject({ status: 'ready', wantedAgent: 'bob', spec: { fallbackAgents: ['cid', 'ann'] } });
    expectSound(rig);
  });
});

describe('within each other', () => {
  const inner = scope(
    'inner',
    { over: 'item', body: [task('leaf', { templated: true, instructions: '${{ item }} of ${{ results.before.answer }}' })] },
    { dependsOn: ['before'] },
  );
  const outer = scope('outer', { over: '[["a", "b"], ["c"]]', body: [task('before'), inner] });

  test('scopes nest, and what stands outside is seen from within', () => {
    const rig = started([outer]);
    work(rig, (id) => `"${id}"`);
    expect(rig.run().tasks['outer~0~inner~1~leaf']?.spec.instructions).toBe('b of "outer~0~before"');
    expect(answerOf(rig, 'outer')).toEqual([['outer~0~inner~0~leaf', 'outer~0~inner~1~leaf'], ['outer~1~inner~0~leaf']]);
    expectSound(rig);
  });

  test('a failure deep within ends what stands around it, and nothing is left', () => {
    const rig = started([outer]);
    for (const i of [0, 1]) rig.complete(`outer~${i}~before`);
    rig.fail('outer~0~inner~0~leaf');
    expect(rig.run()).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('outer') } });
    expect(Object.values(statuses(rig)).filter((status) => ['ready', 'running', 'open', 'waiting'].includes(status))).toEqual([]);
    expectSound(rig);
  });

  test('a failure that comes in the same decision as the end of the last task counts', () => {
    const empty = scope('empty', { over: '[]', body: [task('leaf')], join: { need: 1 } }, { dependsOn: ['first'] });
    const rig = started([scope('all', { body: [task('first'), empty, task('spare', { alternativeTo: 'first' })] })]);
    rig.complete('all~0~first');
    expect(statuses(rig)).toMatchObject({ 'all~0~empty': 'failed', 'all~0~spare': 'skipped', all: 'failed' });
    expectSound(rig);
  });

  test('a cancel ends it, when the last attempt has wound up', () => {
    const rig = started([outer]);
    rig.begin('outer~0~before');
    rig.send({ type: 'CancelRun', tenant: 'default', reason: 'enough' });
    expect(statuses(rig)).toMatchObject({ outer: 'cancelled', 'outer~1~before': 'cancelled', 'outer~0~before': 'running' });
    rig.finish('outer~0~before');
    expect(rig.run().status).toBe('cancelled');
    expectSound(rig);
  });
});
