import type { ModelMessage } from '../ports.js';
import { ResultShelf } from '../result-shelf.js';
import { ConversationWindow } from './conversation-window.js';

const opening: ModelMessage[] = [
  { role: 'system', text: 'Work.' },
  { role: 'user', text: '{"task":"look"}' },
];

/** A conversation of turns that each call one tool, whose results have so many characters. */
function conversation(turns: number, characters: number, args = '{}') {
  const shelf = new ResultShelf();
  const numbers = new Map<ModelMessage, number>();
  const messages = [...opening];
  for (let turn = 1; turn <= turns; turn += 1) {
    messages.push({ role: 'assistant', text: '', toolCalls: [{ id: `c${turn}`, name: 'look', arguments: args }] });
    const text = shelf.put(`result ${turn}: ${'x'.repeat(characters)}`);
    const message: ModelMessage = { role: 'tool', toolCallId: `c${turn}`, text };
    numbers.set(message, turn);
    messages.push(message);
  }
  const summed: { text: string; before: string | undefined }[] = [];
  let answer: string | undefined = 'What was found.';
  const window = new ConversationWindow(opening.length, [], {
    shelf,
    resultOf: (message) => numbers.get(message),
    summarize: async (text, before) => (summed.push({ text, before }), answer),
  });
  return { messages, window, summed, shelf, numbers, noSummary: () => (answer = undefined) };
}

const tooMuch = (messages: ModelMessage[], window: ConversationWindow, room: number) => window.tokensOf(messages) > 0.85 * room;

test('with room enough, or a window that nobody knows, all is sent as it was said', async () => {
  const { messages, window } = conversation(5, 2000);
  await window.prepare(messages, 100_000);
  expect(window.view(messages)).toEqual(messages);
  await window.prepare(messages, undefined);
  expect(window.view(messages)).toEqual(messages);
});

test('older results become references first; the last two turns stay as they are', async () => {
  const { messages, window, summed, shelf } = conversation(8, 3000);
  const room = window.tokensOf(messages);
  await window.prepare(messages, room);
  const view = window.view(messages);
  expect(view).toHaveLength(messages.length);
  expect(view.slice(-4)).toEqual(messages.slice(-4));
  expect(JSON.parse(view[3]!.text)).toMatchObject({ shortened: true, result: 1, characters: 3010 });
  expect(JSON.parse(shelf.read('{"result":1}'))).toMatchObject({ text: expect.stringContaining('result 1: xxx') });
  expect([tooMuch(messages, window, room), summed]).toEqual([false, []]);
});

test('long arguments of older calls are shortened, and stay JSON', async () => {
  const { messages, window } = conversation(6, 100, JSON.stringify({ path: 'a.md', text: 'y'.repeat(4000) }));
  await window.prepare(messages, window.tokensOf(messages));
  const [call] = (window.view(messages)[2] as Extract<ModelMessage, { role: 'assistant' }>).toolCalls;
  expect(JSON.parse(call!.arguments)).toEqual({ path: 'a.md', text: expect.stringMatching(/^y{200,300}.*shortened\)$/) });
});

test('then a summary stands for whole turns, with all of the opening, and no result without its call', async () => {
  const { messages, window, summed } = conversation(40, 700);
  const room = Math.ceil(window.tokensOf(messages) / 3);
  await window.prepare(messages, room);
  const view = window.view(messages);
  expect(view.slice(0, 2)).toEqual(opening);
  expect(JSON.parse(view[2]!.text)).toEqual({ summary: 'What was found.' });
  expect(view[3]!.role).toBe('assistant');
  expect(summed).toHaveLength(1);
  expect(summed[0]!.text).toContain('result 1');
  expect(tooMuch(messages, window, room)).toBe(false);
});

test('a later summary goes on from the one before', async () => {
  const first = conversation(40, 700);
  const room = Math.ceil(first.window.tokensOf(first.messages) / 3);
  await first.window.prepare(first.messages, room);
  const more = conversation(40, 700).messages.slice(2);
  await first.window.prepare([...first.messages, ...more], room);
  expect(first.summed.map(({ before }) => before)).toEqual([undefined, 'What was found.']);
  const times = (word: string) => first.summed[1]!.text.split(word).length - 1;
  expect([times('result 2:'), times('result 38:')]).toEqual([1, 1]);
});

test('without a summary the turns are left out all the same: a task is not lost for it', async () => {
  const { messages, window, noSummary } = conversation(40, 700);
  noSummary();
  const room = Math.ceil(window.tokensOf(messages) / 3);
  await window.prepare(messages, room);
  expect(window.view(messages)[2]!.text).toContain('left out');
  expect(tooMuch(messages, window, room)).toBe(false);
});

test('a refusal shortens what the window was not known for, and says when nothing is left to shorten', async () => {
  const { messages, window } = conversation(4, 3000);
  await window.prepare(messages, undefined);
  expect(await window.refused(messages)).toBe(true);
  const empty = new ConversationWindow(2, [], { shelf: new ResultShelf(), resultOf: () => undefined, summarize: async () => undefined });
  await empty.prepare(opening, undefined);
  expect(await empty.refused(opening)).toBe(false);
});

test("the server's own count decides how much a conversation is", async () => {
  const { messages, window } = conversation(6, 3000);
  await window.prepare(messages, undefined);
  const guessed = window.tokensOf(messages);
  window.counted(Math.ceil(guessed * 2));
  expect(window.tokensOf(messages)).toBeGreaterThan(1.9 * guessed);
  window.counted(0);
  expect(window.tokensOf(messages)).toBeGreaterThan(1.9 * guessed);
});

test('what was said is never changed', async () => {
  const { messages, window } = conversation(40, 900);
  const before = structuredClone(messages);
  await window.prepare(messages, 500);
  expect(messages).toEqual(before);
});
