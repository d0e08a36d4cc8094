import type { ModelMessage } from '@cadre/agents';
import fc from 'fast-check';
import { soundIds, withSoundCalls } from './call-places.js';

const call = (id: string, name = 'look') => ({ id, name, arguments: '{}' });
const turn = (ids: string[], from?: string): ModelMessage[] => [
  { role: 'assistant', text: '', toolCalls: ids.map((id) => call(id)), ...(from !== undefined && { from }) },
  ...ids.map((toolCallId): ModelMessage => ({ role: 'tool', toolCallId, text: '1' })),
];
const idsOf = (messages: ModelMessage[]) => messages.flatMap((m) => (m.role === 'assistant' ? m.toolCalls.map(({ id }) => id) : []));
const resultsOf = (messages: ModelMessage[]) => messages.flatMap((m) => (m.role === 'tool' ? [m.toolCallId] : []));

test("a server's own ids go back to it, and to no other", () => {
  const messages = turn(['functions.look:0', 'call_12345'], 'alpha');
  expect(withSoundCalls(messages, 'alpha')).toEqual(messages);
  const other = withSoundCalls(messages, 'beta');
  expect(idsOf(other).every((id) => /^[A-Za-z0-9]{9}$/.test(id))).toBe(true);
  expect(resultsOf(other)).toEqual(idsOf(other));
});

test('an id that comes twice is there once', () => {
  const sent = withSoundCalls([...turn(['a', 'b'], 'alpha'), ...turn(['a'], 'alpha')], 'alpha');
  expect(idsOf(sent).slice(0, 2)).toEqual(['a', 'b']);
  expect(new Set(idsOf(sent)).size).toBe(3);
  expect(resultsOf(sent)).toEqual(idsOf(sent));
});

test('names that no server takes are mended', () => {
  const names = ['list_files<|channel|>commentary', 'a.b c', '', 'x'.repeat(80)];
  const [sent] = withSoundCalls([{ role: 'assistant', text: '', toolCalls: names.map((name) => call('', name)) }]);
  const mended = sent?.role === 'assistant' ? sent.toolCalls.map(({ name }) => name) : [];
  expect(mended).toEqual(['list_files', 'a_b_c', 'unnamed', 'x'.repeat(64)]);
});

test('whatever the ids, they are unique, results follow their calls, and twice is the same', () => {
  const id = fc.oneof(fc.constantFrom('', 'a', 'call_1_1'), fc.string());
  const turns = fc.array(fc.tuple(fc.uniqueArray(id, { minLength: 1, maxLength: 3 }), fc.constantFrom('alpha', 'beta', undefined)), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(turns, (given) => {
      const messages = given.flatMap(([ids, from]) => turn(ids, from));
      const sent = withSoundCalls(messages, 'alpha');
      expect(new Set(idsOf(sent)).size).toBe(idsOf(sent).length);
      expect(resultsOf(sent)).toEqual(idsOf(sent));
      expect(withSoundCalls(messages, 'alpha')).toEqual(sent);
    }),
  );
});

test('ids of a new turn are new to the conversation', () => {
  const told = turn(['a'], 'alpha');
  const [first, second, third] = soundIds([call('a'), call(''), call('own')], told);
  expect(first?.id).toMatch(/^[A-Za-z0-9]{9}$/);
  expect(second?.id).toMatch(/^[A-Za-z0-9]{9}$/);
  expect(second?.id).not.toBe(first?.id);
  expect(third?.id).toBe('own');
});
