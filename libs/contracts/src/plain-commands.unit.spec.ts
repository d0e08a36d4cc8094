import fc from 'fast-check';
import { Command } from './commands.js';
import { jsonSchemas } from './json-schemas.js';
import { isPlainCommand } from './plain-commands.js';
import { isPlainAssignment } from './plain-assignment.js';
import { RunOptions, TaskSpec } from './plan.js';
import { Assignment } from './results.js';
import { valuesOfSchema } from './testing/values-of-schema.js';

const head = {
  ...{ id: 'c1', runId: 'r00-0198f3a2-7c1d-7e40-9d7a-0a1b2c3d4e5f', taskId: 'part3', attempt: 1, workerId: 'w-1' },
  traceparent: '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01',
};
const start = { type: 'StartAttempt', ...head, agent: 'echo', tools: [] };
const granted = { ...start, tools: ['read_file', 'pay'] };
const complete = { type: 'CompleteAttempt', ...head, settle: [], result: { answer: { text: 'done' }, confidence: 1, artifacts: [] } };
const reserve = [{ key: '0123456789abcdef0123456789abcdef', try: 1, kind: 'tool', name: 'pay', maxCostMicros: 10 }];
const settle = [
  {
    ...{ key: '0123456789abcdef0123456789abcdef', try: 1, outcome: 'done', ok: true, note: '', at: 1, durationMs: 0 },
    ...{ inputTokens: 0, outputTokens: 0, costMicros: 7, body: { text: 'null' } },
  },
];
const record = { type: 'RecordCalls', ...head, settle, reserve };
const settled = { ...complete, settle };
const goingOn = { ...complete, next: { agent: 'echo', tools: ['pay'], life: 'a1', modelTimeoutMs: 1, slots: 3 } };
const task = TaskSpec.parse({ id: 'a', title: 'A', instructions: 'do it' });
const startRun = {
  ...{ type: 'StartRun', id: 'c1', runId: head.runId, tenant: 'default', goal: 'g', inputs: [], options: RunOptions.parse({}) },
  ...{ plan: { tasks: [task] }, fingerprint: 'f' },
};
const timed = { ...start, life: 'a1', modelTimeoutMs: 600_000 };
const rich = {
  ...task,
  timeoutMs: 5000,
  agent: 'echo',
  skills: ['coding'],
  dependsOn: ['b'],
  input: { n: 1, text: 'x' },
  cache: { ttlMs: 60_000 },
};
const startRich = { ...startRun, traceparent: head.traceparent, plan: { tasks: [rich, task] } };
const cached = { ...complete, result: { ...complete.result, cachedFrom: { runId: head.runId, taskId: 'map~0~count' } } };
const thoughtful = { ...complete, result: { ...complete.result, thinking: { text: '{}' } } };
const collecting = { ...startRun, options: RunOptions.parse({ collectThinking: true }) };
const PLAIN = [startRun, startRich, start, timed, granted, complete, cached, record, settled, goingOn];
const untraced = ({ traceparent: _traceparent, ...rest }: typeof start) => rest;

test('the plain forms are recognised', () => {
  for (const command of [...PLAIN, untraced(start), { ...start, attempt: 7 }]) expect(isPlainCommand(command)).toBe(true);
});

test('what has to do with thinking is left to the schema', () => {
  for (const command of [thoughtful, collecting]) {
    expect(isPlainCommand(command)).toBe(false);
    expect(Command.parse(command)).toStrictEqual(command);
  }
});

/** Values to put in place of any field: some right, most wrong. */
const ODD = [
  undefined,
  null,
  0,
  1,
  -1,
  1.5,
  2 ** 53,
  Number.NaN,
  '',
  'a',
  'A-1',
  'r00-x',
  'x'.repeat(81),
  'x'.repeat(301),
  1e15 + 1,
  10_001,
  30 * 86_400_000 + 1,
  '__proto__',
  'all',
  0.5,
  700_000,
  Infinity,
  [],
  [1],
  ['a b'],
  ['Ab', 'a'],
  {},
  { text: 1 },
  true,
];

function* variants(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) for (const changed of variants(value[0])) yield [changed, ...value.slice(1)];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  yield { ...value, more: 1 };
  for (const [key, inner] of Object.entries(value)) {
    const { [key]: _left, ...without } = value as Record<string, unknown>;
    yield without;
    for (const odd of ODD) yield { ...value, [key]: odd };
    for (const changed of variants(inner)) yield { ...value, [key]: changed };
  }
}

test('whatever is recognised, the schema gives as it is', () => {
  const hold = (value: unknown) => {
    if (isPlainCommand(value)) expect(Command.parse(value)).toStrictEqual(value);
  };
  let count = 0;
  for (const command of PLAIN)
    for (const variant of variants(command)) {
      hold(variant);
      count += 1;
    }
  expect(count).toBeGreaterThan(1000);
  const schema = jsonSchemas().find(({ name }) => name === 'Command')!.schema;
  fc.assert(fc.property(valuesOfSchema(schema), hold), { numRuns: 300 });
});

describe('an assignment', () => {
  const assignment = {
    ...{ runId: head.runId, tenant: 'default', taskId: 'a', attempt: 1, kind: 'work', goal: 'g', title: 't', instructions: 'i' },
    ...{ input: { n: 1 }, inputs: [], round: 1, tools: ['pay'], deadlineAt: 1, traceparent: head.traceparent },
    results: [
      { taskId: 'b', title: 'b', agent: 'echo', status: 'completed', answer: { text: 'done' }, confidence: 1, artifacts: [] },
      { taskId: 'c', title: 'c', agent: 'echo', status: 'completed', answer: { text: '' }, confidence: 0.5, artifacts: [] },
    ],
  };
  const { input: _input, traceparent: _traceparent, ...least } = assignment;
  const FORMS = [assignment, { ...least, results: [] }, { ...least, cache: { ttlMs: 60_000 } }];

  test('is recognised in its plain forms', () => {
    for (const form of FORMS) expect(isPlainAssignment(form)).toBe(true);
  });

  test('whose run collects thinking is left to the schema', () => {
    const collecting = { ...assignment, collectThinking: true };
    expect(isPlainAssignment(collecting)).toBe(false);
    expect(Assignment.parse(collecting)).toStrictEqual(collecting);
  });

  test('that is recognised, the schema gives as it is', () => {
    const hold = (value: unknown) => {
      if (isPlainAssignment(value)) expect(Assignment.parse(value)).toStrictEqual(value);
    };
    for (const form of FORMS) for (const variant of variants(form)) hold(variant);
    const schema = jsonSchemas().find(({ name }) => name === 'Assignment')!.schema;
    fc.assert(fc.property(valuesOfSchema(schema), hold), { numRuns: 300 });
  });
});
