/** Servers that take a part of JSON Schema, or refuse something else: only what a refusal names is changed. */
import { keywordsIn } from '../chat-body.js';
import { plain, refuse } from '../said.js';
import type { Case } from './case.js';

const UNKNOWN_TO_GEMINI = new Set(['exclusiveMinimum', 'exclusiveMaximum', 'propertyNames', 'const', '$ref', '$defs', 'patternProperties']);

export const SCHEMAS: Case[] = [
  {
    id: 'M19',
    what: 'Schemas become a grammar, which takes no repetition of more than 2000',
    behave: (body) =>
      keywordsIn(body, (key, value) => (key === 'maxLength' || key === 'maxItems') && Number(value) >= 2000).length > 0
        ? refuse(400, 'Failed to initialize samplers: failed to parse grammar', { code: 400 })
        : plain(body),
    right: { requests: { atMost: 3 }, refused: { atMost: 1 }, again: { requests: 2, refused: 0 } },
  },
  {
    id: 'M19b',
    what: 'A server that knows a part of JSON Schema, and refuses the rest by name',
    behave: (body) => {
      const [found] = keywordsIn(body, (key, value) => UNKNOWN_TO_GEMINI.has(key) && value !== undefined);
      if (found === undefined) return plain(body);
      const message = `Invalid JSON payload received. Unknown name at '${found}': Cannot find field.`;
      return { status: 400, body: [{ error: { code: 400, message, status: 'INVALID_ARGUMENT' } }] };
    },
    right: { requests: { atMost: 3 }, refused: { atMost: 1 }, again: { requests: 2, refused: 0 } },
  },
  {
    id: 'K10-additional-properties',
    what: 'additionalProperties is refused by name',
    behave: (body) =>
      keywordsIn(body, (key) => key === 'additionalProperties').length > 0
        ? refuse(400, "Invalid schema: unknown field 'additionalProperties'.")
        : plain(body),
    right: { requests: { atMost: 3 }, refused: { atMost: 1 }, again: { requests: 2, refused: 0 } },
  },
  {
    id: 'K10-broken-by-pattern',
    what: 'A server that breaks on patterns says 500, and speaks of a grammar',
    behave: (body) =>
      keywordsIn(body, (key) => key === 'pattern').length > 0 ? refuse(500, 'grammar: error compiling the JSON schema') : plain(body),
    right: { requests: { atMost: 3 }, refused: { atMost: 1 }, again: { requests: 2, refused: 0 } },
  },
  {
    id: 'K9-temperature',
    what: 'The temperature is refused; nothing else changes',
    behave: (body) =>
      body.temperature !== undefined && body.temperature !== 1
        ? refuse(400, "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.", {
            param: 'temperature',
            code: 'unsupported_value',
          })
        : plain(body),
    right: { requests: 3, refused: 1, again: { requests: 2, refused: 0 } },
  },
  {
    id: 'K9-name-of-the-cap',
    what: 'The cap has another name here',
    behave: (body) =>
      body.max_tokens !== undefined
        ? refuse(400, "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", {
            param: 'max_tokens',
            code: 'unsupported_parameter',
          })
        : plain(body),
    right: { requests: 3, refused: 1, again: { requests: 2, refused: 0 } },
  },
  {
    id: 'K9-no-tools',
    what: 'A model that takes no tools says so, once',
    behave: () => refuse(400, 'registry.example/model does not support tools'),
    right: { status: 'failed', requests: { atMost: 2 }, refused: { atMost: 2 }, costMicros: 0, shown: /does not support tools/ },
  },
];
