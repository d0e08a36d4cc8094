import type { ModelReply } from './ports.js';
import { describeReply, readReply, soundReply, writeReply } from './recorded-reply.js';

const reply: ModelReply = {
  ...{ model: 'm', text: 'ok', toolCalls: [], finish: 'stop', inputTokens: 9, outputTokens: 1, costMicros: 0, priced: true },
  warning: 'The prompt was cut.',
};

test('what a person should know of an answer stands in the line of its call, not in its record', () => {
  const sound = soundReply(reply, false);
  expect(describeReply(sound)).toBe('final message. The prompt was cut.');
  expect(readReply(writeReply(sound))).not.toHaveProperty('warning');
  expect(writeReply(sound)).not.toContain('cut');
});
