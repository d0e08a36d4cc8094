import { Thinking } from '@cadre/contracts';
import type { AgentDefinition, Assignment } from '@cadre/contracts';
import { cacheKey } from './cache-key.js';
import { plainDigest, sampleAgent, sampleAssignment, sampleOutcome } from './testing/index.js';

const file = { name: 'a.csv', sha256: 'a'.repeat(64), size: 3, mediaType: 'text/csv' };
const long = { ref: { sha256: 'c'.repeat(64), size: 20_000, mediaType: 'text/markdown' }, preview: 'x' };
const outcome = sampleOutcome({ agent: 'generalist', answer: { text: 'yes' }, confidence: 0.5, artifacts: [file] });
const agent = sampleAgent({ model: 'm', fallbackModels: ['n'], tools: ['echo', 'read_file'] });
const assignment = sampleAssignment({
  input: { n: 1, list: ['a', 'b'] },
  inputs: [file],
  results: [outcome],
  tools: ['echo', 'read_file'],
  model: 'big',
});

const key = (changed: Partial<Assignment> = {}, definition: Partial<AgentDefinition> = {}, setting = 's') =>
  cacheKey({ ...assignment, ...changed }, { ...agent, ...definition }, setting, plainDigest);
const { limits } = agent;
const results = (changed: Partial<typeof outcome>): Partial<Assignment> => ({ results: [{ ...outcome, ...changed }] });

test.each<[string, Partial<Assignment>]>([
  ['the tenant', { tenant: 'other' }],
  ['the kind', { kind: 'answer' }],
  ['the name of the task', { taskId: 'analyse2' }],
  ['the goal', { goal: 'Understand the climate.' }],
  ['the title', { title: 'Analyze' }],
  ['the instructions', { instructions: 'Find the trends.' }],
  ['the input', { input: { n: 2, list: ['a', 'b'] } }],
  ['the order of a list in the input', { input: { n: 1, list: ['b', 'a'] } }],
  ['that there is no input', { input: undefined } as Partial<Assignment>],
  ['what a file holds', { inputs: [{ ...file, sha256: 'b'.repeat(64) }] }],
  ['the name of a file', { inputs: [{ ...file, name: 'b.csv' }] }],
  ['a further file', { inputs: [file, { ...file, name: 'b.csv' }] }],
  ['the tools', { tools: ['echo'] }],
  ['what the answer has to be', { resultSchema: { type: 'object' } }],
  ["the run's model", { model: 'small' }],
  ['what went wrong before', { previousError: 'malformed' }],
  ['an answer', results({ answer: { text: 'no' } })],
  ['an answer by reference', results({ answer: long })],
  ['the content of a reference', results({ answer: { ...long, ref: { ...long.ref, sha256: 'd'.repeat(64) } } })],
  ['how an earlier task ended', results({ status: 'failed', error: 'e' })],
  ['the confidence of an earlier task', results({ confidence: 0.6 })],
  ['the agent of an earlier task', results({ agent: 'other' })],
  ['the title of an earlier task', results({ title: 'Other' })],
  ['what an artifact holds', results({ artifacts: [{ ...file, sha256: 'b'.repeat(64) }] })],
  ['a further earlier task', { results: [outcome, sampleOutcome({ taskId: 'more' })] }],
])('%s is part of what is asked', (_, changed) => {
  expect(key(changed)).not.toBe(key());
});

test.each<[string, Partial<AgentDefinition>]>([
  ['name', { name: 'other' }],
  ['instructions', { instructions: 'You help well.' }],
  ['tools', { tools: ['echo', 'read_file', 'write_file'] }],
  ['model', { model: 'm2' }],
  ['fallback models', { fallbackModels: [] }],
  ['model under load', { underLoad: { waitMs: 5, model: 'small' } }],
  ['thought under load', { underLoad: { waitMs: 5, model: 'small', effort: 'low' } }],
  ['temperature', { temperature: 0.5 }],
  ['steps', { limits: { ...limits, maxSteps: 3 } }],
  ['tokens', { limits: { ...limits, maxTokens: 300 } }],
  ['time', { limits: { ...limits, maxMs: 300 } }],
  ['cap', { limits: { ...limits, maxCostMicros: 3 } }],
  ['thinking', { thinking: Thinking.parse({}) }],
  ['batch', { batch: { maxTasks: 5, waitMs: 0 } }],
])('so is of the agent: %s', (_, definition) => {
  expect(key({}, definition)).not.toBe(key());
});

test('of what an agent is to think, everything is', () => {
  const ways = [{ reflect: 1 }, { reflect: 2 }, { effort: 'low' }, { effort: 'high' }, { style: 'critical' }, { maxThinkingTokens: 200 }];
  const keys = ways.map((way) => key({}, { thinking: Thinking.parse(way) }));
  expect(new Set(keys).size).toBe(ways.length);
});

test("so are the worker's own model and server", () => {
  expect(key({}, {}, 'other')).not.toBe(key());
});

test('all of them differ from each other: parts do not run into one another', () => {
  const keys = [key({ title: 'ab', instructions: 'c' }), key({ title: 'a', instructions: 'bc' }), key({ title: 'a', input: 'bc' })];
  expect(new Set(keys).size).toBe(3);
});

test('run, attempt, time, the order of fields and of grants, and the number of an item are not', () => {
  const other: Partial<Assignment> = {
    runId: 'r00-01890000-0000-7000-8000-000000000002',
    attempt: 2,
    round: 2,
    deadlineAt: 7,
    traceparent: 'x',
    tools: ['read_file', 'echo'],
    input: { list: ['a', 'b'], n: 1 },
    cache: { ttlMs: 5 },
  };
  expect(key(other, { tools: ['read_file', 'echo'], description: 'Other.', skills: ['x'], maxParallel: 2 })).toBe(key());
  const item = (n: number) => key({ taskId: `map~${n}~count`, results: [{ ...outcome, taskId: `map~${n}~read` }] });
  expect(item(3)).toBe(item(12));
  expect(item(3)).not.toBe(key({ taskId: 'map~3~sum', results: [{ ...outcome, taskId: 'map~3~read' }] }));
});
