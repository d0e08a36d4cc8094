import { Workflow } from '@cadre/contracts';
import { fill, TaskList, workflow } from './workflow-builder.js';

const head = { goal: 'Count', description: 'Counts', params: { texts: {}, width: { default: 2 } } };
const flow = workflow('count-words', head, (tasks) =>
  tasks
    .task('first', { agent: 'reader' })
    .each('map', 'params.texts', (body) => body.task('clean', { input: { text: fill('item') } }).task('count', { after: ['clean'] }), {
      after: ['first'],
      width: 2,
      join: { need: { share: 0.5 } },
    })
    .parallel('vote', (branches) => branches.task('ann').task('bob'), { after: ['map'], combine: { by: 'vote', quorum: 0.8 } })
    .rounds('improve', { max: 3, until: 'results.draft.confidence > 0.9' }, (body) =>
      body.task('draft', { instructions: 'Better: ${{ previous }}' }),
    )
    .wait('paid', { event: 'order.paid' }, { after: ['vote', 'improve'] })
    .task('sum', { title: 'Add', after: ['paid'], alternativeTo: 'first' }),
);

test('gives what a file of it would', () => {
  expect(flow).toEqual(
    Workflow.parse({
      apiVersion: 'cadre/v1',
      kind: 'Workflow',
      metadata: { name: 'count-words', description: 'Counts' },
      spec: {
        goal: 'Count',
        params: { texts: {}, width: { default: 2 } },
        tasks: [
          { id: 'first', title: 'first', instructions: 'first', agent: 'reader' },
          {
            id: 'map',
            title: 'map',
            instructions: 'map',
            dependsOn: ['first'],
            scope: {
              over: 'params.texts',
              width: 2,
              join: { need: { share: 0.5 } },
              body: [
                { id: 'clean', title: 'clean', instructions: 'clean', input: { text: '${{ item }}' }, templated: true },
                { id: 'count', title: 'count', instructions: 'count', dependsOn: ['clean'] },
              ],
            },
          },
          {
            id: 'vote',
            title: 'vote',
            instructions: 'vote',
            dependsOn: ['map'],
            scope: {
              branches: true,
              combine: { by: 'vote', quorum: 0.8 },
              body: ['ann', 'bob'].map((id) => ({ id, title: id, instructions: id })),
            },
          },
          {
            id: 'improve',
            title: 'improve',
            instructions: 'improve',
            scope: {
              repeat: { max: 3, until: 'results.draft.confidence > 0.9' },
              combine: { by: 'last' },
              body: [{ id: 'draft', title: 'draft', instructions: 'Better: ${{ previous }}', templated: true }],
            },
          },
          { id: 'paid', title: 'paid', instructions: 'paid', dependsOn: ['vote', 'improve'], wait: { event: 'order.paid' } },
          { id: 'sum', title: 'Add', instructions: 'Add', dependsOn: ['paid'], alternativeTo: 'first' },
        ],
      },
    }),
  );
});

test('what it gives comes back the same from JSON', () => {
  expect(Workflow.parse(JSON.parse(JSON.stringify(flow)))).toEqual(flow);
});

test('a list is not changed by what is made of it', () => {
  const base = new TaskList().task('a');
  base.task('b');
  expect(base.tasks.map(({ id }) => id)).toEqual(['a']);
});

test('a name that is not there does not compile', () => {
  const base = new TaskList().task('a');
  // @ts-expect-error: there is no task b
  base.task('c', { after: ['b'] });
  // @ts-expect-error: nor in a body
  base.each('map', '[1]', (body) => body.task('x', { after: ['a'] }));
  expect(base.task('c', { after: ['a'] }).tasks).toHaveLength(2);
});

test('what an agent does may be kept, what the engine does may not', () => {
  const base = new TaskList().task('a', { cache: { ttlMs: 60_000 } });
  expect(base.tasks).toMatchObject([{ id: 'a', cache: { ttlMs: 60_000 } }]);
  // @ts-expect-error: a scope is no work of an agent
  base.each('map', '[1]', (body) => body.task('x'), { cache: { ttlMs: 1 } });
  // @ts-expect-error: nor is a wait
  base.wait('pause', { delayMs: 1 }, { cache: { ttlMs: 1 } });
});

test('what is wrong is told when it is built', () => {
  expect(() => workflow('Not a name', { goal: 'g' }, (tasks) => tasks.task('a'))).toThrow('a workflow name is lower-case');
  expect(() => workflow('w', { goal: 'g' }, (tasks) => tasks)).toThrow();
});

test('an agent combines what passes the gate, with results that are there already', () => {
  const made = workflow('weigh', { goal: 'Weigh' }, (tasks) =>
    tasks.parallel('all', (branches) => branches.given('old', { answer: { text: '3' } }).task('new'), {
      agent: 'weigher',
      instructions: 'Weigh them.',
      gate: { minConfidence: 0.5 },
      combine: { by: 'custom' },
    }),
  );
  expect(made.spec.tasks).toMatchObject([
    {
      agent: 'weigher',
      instructions: 'Weigh them.',
      scope: {
        gate: { minConfidence: 0.5 },
        combine: { by: 'custom' },
        body: [{ id: 'old', given: { answer: { text: '3' }, confidence: 1 } }, { id: 'new' }],
      },
    },
  ]);
});
