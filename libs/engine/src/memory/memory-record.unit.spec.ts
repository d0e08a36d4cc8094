import { MEMORY_LIMITS, MemoryRecord, MemorySettings, utf8Bytes } from '@cadre/contracts';
import fc from 'fast-check';
import { compacted, cleared, emptyMemory, fitted, newestWithin, olderMessages, tokensOf, withExchange } from './memory-record.js';
import type { Exchange } from './memory-record.js';

const RUN = 'r00-01890000-0000-7000-8000-000000000001';
const empty = emptyMemory({ agent: 'ann', runId: RUN, shareWith: ['bob'] });

const text = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.integer({ min: 0, max: 9000 }).map((length) => 'é'.repeat(length)),
);
/** Few tasks and keys, so that some come twice. */
const exchange: fc.Arbitrary<Exchange> = fc.record({
  key: fc.integer({ min: 0, max: 30 }).map((n) => n.toString(16).padStart(32, '0')),
  runId: fc.constant(RUN),
  taskId: fc.integer({ min: 0, max: 12 }).map((n) => `t${n}`),
  at: fc.nat(),
  asked: text,
  answered: text,
});
const settings = fc
  .record({ maxTokens: fc.integer({ min: 200, max: 12_000 }), keepLast: fc.integer({ min: 0, max: 100 }) })
  .map((given) => MemorySettings.parse(given));

const after = (exchanges: Exchange[], memory = empty): MemoryRecord =>
  exchanges.reduce((now, each) => withExchange(now, each) ?? now, memory);

test('what is added is there once, whole pairs in the order of the work, and the record keeps its shape', () => {
  fc.assert(
    fc.property(fc.array(exchange, { maxLength: 40 }), (exchanges) => {
      const memory = after(exchanges);
      expect(MemoryRecord.parse(memory)).toEqual(memory);
      expect(memory.messages.map(({ role }) => role)).toEqual(memory.messages.map((_, n) => (n % 2 === 0 ? 'user' : 'assistant')));
      const tasks = memory.messages.filter(({ role }) => role === 'user').map(({ taskId }) => taskId);
      expect(new Set(tasks).size).toBe(tasks.length);
      expect(after(exchanges, memory)).toEqual(memory);
      const last = exchanges.findLast(({ key }, n) => exchanges.findIndex((other) => other.key === key) === n);
      if (last) expect(memory.messages.at(-1)?.taskId).toBe(last.taskId);
    }),
  );
});

test('compaction keeps the last messages, stays under the threshold, and is done once', () => {
  fc.assert(
    fc.property(fc.array(exchange, { maxLength: 40 }), settings, fc.string({ maxLength: 20_000 }), (exchanges, sizes, summary) => {
      const memory = after(exchanges);
      const older = olderMessages(memory, sizes);
      const kept = memory.messages.slice(older.length);
      const wanted = Math.min(sizes.keepLast, Math.floor(sizes.maxTokens / 100));
      expect(kept).toHaveLength(Math.min(memory.messages.length, wanted + (wanted % 2)));
      const compaction = { taken: [...new Set(older.map(({ key }) => key))], summary };
      const next = compacted(memory, compaction, sizes)!;
      expect(next.messages.map(({ key }) => key)).toEqual(kept.map(({ key }) => key));
      expect(next.summarised).toBe(older.length);
      expect(tokensOf(next)).toBeLessThanOrEqual(sizes.maxTokens);
      expect(MemoryRecord.parse(next)).toEqual(next);
      if (older.length > 0) expect(compacted(next, compaction, sizes)).toBeUndefined();
      expect(
        after(
          exchanges.filter(({ key }) => compaction.taken.includes(key)),
          next,
        ),
      ).toEqual(next);
    }),
  );
});

test('what is told fits: without the oldest, but with the last ones, and it says how many are left out', () => {
  fc.assert(
    fc.property(fc.array(exchange, { maxLength: 40 }), settings, (exchanges, sizes) => {
      const memory = after(exchanges);
      const told = fitted(memory, sizes);
      expect(tokensOf(told)).toBeLessThanOrEqual(sizes.maxTokens);
      expect(told.messages.length).toBeGreaterThanOrEqual(memory.messages.length - olderMessages(memory, sizes).length);
      expect(told.leftOut).toBe(memory.leftOut + memory.messages.length - told.messages.length);
      expect(fitted(told, sizes)).toEqual(told);
      if (tokensOf(memory) <= sizes.maxTokens) expect(told).toBe(memory);
    }),
  );
});

test('a summary of what was compacted or replaced meanwhile is refused; what came later stays', () => {
  const sizes = MemorySettings.parse({ keepLast: 0 });
  const of = (n: number, task = `t${n}`): Exchange => {
    return { key: n.toString(16).padStart(32, '0'), runId: RUN, taskId: task, at: n, asked: 'q', answered: `a${n}` };
  };
  const taken = [of(1), of(2)].map(({ key }) => key);
  const memory = after([of(1), of(2)]);
  expect(compacted(after([of(3)], memory), { taken, summary: 's' }, sizes)?.messages.map(({ text: said }) => said)).toEqual(['q', 'a3']);
  expect(compacted(after([of(3, 't1')], memory), { taken, summary: 's' }, sizes)).toBeUndefined();
  expect(compacted({ ...memory, summary: 'other' }, { taken, summary: 's' }, sizes)).toBeUndefined();
});

test('it is bounded in messages and in bytes; the oldest make room', () => {
  const many = (length: number) =>
    Array.from({ length: 300 }, (_, n): Exchange => {
      const of = { key: n.toString(16).padStart(32, '0'), runId: RUN, taskId: `t${n}`, at: n };
      return { ...of, asked: 'é'.repeat(length), answered: 'é'.repeat(length) };
    });
  const short = after(many(1));
  expect([short.messages.length, short.leftOut]).toEqual([MEMORY_LIMITS.messages, 600 - MEMORY_LIMITS.messages]);
  const long = after(many(9000));
  expect(utf8Bytes(JSON.stringify(long))).toBeLessThanOrEqual(MEMORY_LIMITS.bytes);
  expect(long.messages.at(-1)?.text).toHaveLength(MEMORY_LIMITS.answered);
  expect(long.messages.length + long.leftOut).toBe(600);
  expect(MemoryRecord.parse(long)).toEqual(long);
  const part = newestWithin(long, 40_000);
  expect(utf8Bytes(JSON.stringify(part))).toBeLessThanOrEqual(40_000);
  expect(part.messages).toEqual(long.messages.slice(-part.messages.length));
});

test('what is cleared holds nothing, keeps whom it is shared with, and knows what it has held', () => {
  const of: Exchange = { key: 'a'.repeat(32), runId: RUN, taskId: 't', at: 1, asked: 'q', answered: 'a' };
  const gone = cleared(after([of]));
  expect(gone).toEqual({ ...empty, past: [of.key] });
  expect(withExchange(gone, of)).toBeUndefined();
});
