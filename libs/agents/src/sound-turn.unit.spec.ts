/** What a model's turn leaves in the conversation, and on record. */
import type { ModelReply } from './ports.js';
import { readReply, soundReply, writeReply } from './recorded-reply.js';
import { runAttempt } from './run-attempt.js';
import { CallIds, soundTurn } from './sound-turn.js';
import { ScriptedModel, answers, callsTools, echoTool, sampleAgent, sampleAssignment, soloWork } from './testing/index.js';
import type { ScriptedTurn } from './testing/index.js';

const reply: ModelReply = {
  ...{ model: 'm', text: '', toolCalls: [], finish: 'stop', inputTokens: 1, outputTokens: 1, costMicros: 1, priced: true },
};
const call = (name: string, args: string, id = 'a') => ({ id, name, arguments: args });

async function conversation(...turns: ScriptedTurn[]) {
  const model = new ScriptedModel(turns);
  const { work } = soloWork({ assignment: sampleAssignment(), agent: sampleAgent() });
  const clock = { now: () => 1000, soon: () => undefined, after: () => () => undefined };
  const means = { model, tools: [echoTool()], clock, chance: { random: () => 0.5 }, readContent: async () => '' };
  await runAttempt(work, means).catch(() => undefined);
  return model;
}

test('ids are unique in the whole conversation, and strict servers take those that are made', () => {
  const ids = new CallIds();
  const first = ids.unique([call('x', '', 'call_0'), call('x', '', 'call_0'), call('x', '', '')], 1).map(({ id }) => id);
  const second = ids.unique([call('x', '', 'call_0'), call('x', '', first[1])], 2).map(({ id }) => id);
  expect(first[0]).toBe('call_0');
  expect(new Set([...first, ...second]).size).toBe(5);
  for (const id of [...first.slice(1), ...second]) expect(id).toMatch(/^[A-Za-z0-9]{9}$/);
});

test.each([
  ['echo', '{"say":"a"}', 'echo', '{"say":"a"}'],
  ['echo', ' {"say": "a"} ', 'echo', ' {"say": "a"} '],
  ['echo', '{"say":"a\nb"}', 'echo', '{"say":"a\\nb"}'],
  ['echo', 'null', 'echo', '{}'],
  ['echo', '', 'echo', '{}'],
  ['echo', '"{\\"say\\":\\"a\\"}"', 'echo', '{"say":"a"}'],
  ['echo<|channel|>commentary', '{}', 'echo_channel_commentary', '{}'],
  ['functions.echo', '{}', 'functions_echo', '{}'],
  ['', '{}', 'unknown', '{}'],
  ['echo', '{"say":"lon', 'echo', '{"cutOffAfter":"{\\"say\\":\\"lon"}'],
  ['echo', 'what?', 'echo', '{"unreadable":"what?"}'],
])('a call %j of %j stands in the conversation as one of %j with %j', (name, args, soundName, soundArgs) => {
  expect(soundTurn({ ...reply, toolCalls: [call(name, args)] })).toMatchObject({
    toolCalls: [{ name: soundName, arguments: soundArgs }],
  });
});

test.each(['functions.echo', 'echo<|channel|>commentary', 'echo'])('%s is carried out as what is meant', async (name) => {
  const model = await conversation(callsTools({ name, args: { say: 'a' } }), answers('ok'));
  expect(model.requests[1]?.messages.at(-1)).toMatchObject({ role: 'tool', text: '{"said":"a"}' });
});

test('what came with a turn goes back with it, from the record too', async () => {
  const extra = { reasoning_details: [{ type: 'x', data: null }], deep: { a: [1, 'b'] } };
  const turn = { from: 'server m', extra, toolCalls: [{ ...call('echo', '{"say":"a"}'), extra: { signature: 's' } }] };
  const model = await conversation({ ...turn, finish: 'tool-calls' }, { text: '', from: 'server m', extra }, answers('ok'));
  expect(model.requests[1]?.messages[2]).toEqual({ role: 'assistant', text: '', ...turn });
  const counted = { ...reply, ...turn, cachedInputTokens: 7, cacheWriteTokens: 0 };
  expect(readReply(writeReply(soundReply(counted, false)))).toEqual(counted);
  expect(readReply(writeReply(soundReply({ ...counted, cachedInputTokens: NaN }, false)))).toMatchObject({ cachedInputTokens: 0 });
});

test('an empty turn is not sent: the repair alone is', async () => {
  const model = await conversation({ text: ' \n' }, answers('ok'));
  expect(model.requests[1]?.messages.map(({ role }) => role)).toEqual(['system', 'user', 'user']);
});

test('after a turn that was cut off there is more room, up to a bound', async () => {
  const cut: ScriptedTurn = { text: '', finish: 'length' };
  const write = (args: string): ScriptedTurn => ({ ...callsTools({ name: 'echo', args }), finish: 'length' });
  const model = await conversation(write('{"say":"lon'), write('{"say":"whole"}'), cut, cut, answers('ok'));
  expect(model.requests.map(({ maxOutputTokens }) => maxOutputTokens)).toEqual([8192, 16_384, 32_768, 32_768, 32_768]);
  const told = (request: number) => model.requests[request]?.messages.at(-1)?.text;
  expect(told(1)).toMatch(/cut off after 11 characters/);
  expect(told(2)).toBe('{"said":"whole"}');
  expect(told(3)).toMatch(/Send a shorter one/);
});
