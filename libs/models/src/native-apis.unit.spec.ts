/** Whatever a server sends in one of the APIs that are not chat completions. */
import type { ModelReply } from '@cadre/agents';
import fc from 'fast-check';
import { MESSAGES_API } from './anthropic/messages-api.js';
import { FIRST_DIALECT } from './dialect.js';
import { modelError } from './errors.js';
import { RESPONSES_API } from './responses/responses-api.js';
import { ask } from './testing/native-rig.js';

test.each([
  ['Messages', MESSAGES_API],
  ['Responses', RESPONSES_API],
] as const)('%s: whatever a server sends, a reply or an error comes of it', (_, api) => {
  const word = fc.constantFrom(
    'type',
    'content',
    'text',
    'thinking',
    'output',
    'summary',
    'response',
    'item',
    'delta',
    'index',
    'content_block',
    'message',
    'usage',
    'error',
    'code',
    'status',
    'name',
    'input',
    'arguments',
    'input_tokens',
    'output_tokens',
  );
  const words = [
    'message',
    'text',
    'thinking',
    'tool_use',
    'function_call',
    'reasoning',
    'look',
    'failed',
    'content_block_delta',
    'content_block_start',
    'message_delta',
    'response.completed',
    'response.output_item.done',
    '{}',
    null,
    0,
    429,
  ];
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<unknown>(...words),
      fc.string(),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(word, tie('value'), { maxKeys: 4 }),
    ),
  })).value;
  const asked = { request: ask(), model: 'm', from: 'x m', dialect: FIRST_DIALECT, maxOutputTokens: 10 };
  const onlyCadre = (work: () => ModelReply | object) => {
    try {
      expect(typeof (work() as { text: unknown }).text).toBe('string');
    } catch (error) {
      expect(['ServerRefusal', 'UnreadableAnswer']).toContain((error as Error).constructor.name);
      expect(modelError(error, 'http://m').name).toBe('CadreError');
    }
  };
  const answer = fc.oneof(
    value,
    fc.record({ content: fc.array(value, { maxLength: 3 }), output: fc.array(value, { maxLength: 3 }), usage: value }),
  );
  fc.assert(
    fc.property(answer, (given) => onlyCadre(() => api.read(given, asked))),
    { numRuns: 100 },
  );
  fc.assert(
    fc.property(fc.array(value, { maxLength: 6 }), (given) =>
      onlyCadre(() => {
        const collector = api.collector(() => undefined);
        given.forEach((each) => collector.add({ name: 'message', data: JSON.stringify(each) }));
        return api.read(collector.whole(), asked);
      }),
    ),
    { numRuns: 100 },
  );
});
