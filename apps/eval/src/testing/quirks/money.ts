/** What a server counts is what a run costs; what it bills beyond the cap is named, and nothing is asked for any more. */
import { promptOf } from '../chat-body.js';
import { plain } from '../said.js';
import type { Case } from './case.js';

/** At the prices of these cases, millionths of a dollar for a token: 1 for input, 2 for output. */
export const PRICE = { input: 1, output: 2 };

export const MONEY: Case[] = [
  {
    id: 'M12',
    what: 'The cap is not heeded: five times as much is billed as was reserved',
    options: { budget: { runMicros: 90_000 } },
    behave: (body) => {
      const [prompt, output] = [promptOf(body), 40_000];
      return { ...plain(body, 3), usage: { prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output } };
    },
    // After the first one there is room for a short answer still; after the second there is none.
    right: { status: 'failed', requests: 2, shown: /overrun/i },
  },
  {
    id: 'K7-thoughts-in-total',
    what: 'Thoughts are counted in the total alone (Gemini)',
    behave: (body) => {
      const prompt = promptOf(body);
      return { ...plain(body), usage: { prompt_tokens: prompt, completion_tokens: 60, total_tokens: prompt + 1060 } };
    },
    right: {},
  },
  {
    id: 'K7-zeros',
    what: 'Zeros beside a text are no count',
    behave: (body) => ({ ...plain(body), usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } }),
    right: { costMicros: 'any', shown: /"estimated":true|estimated/ },
  },
  {
    id: 'K7-no-count',
    what: 'The server counts nothing',
    behave: (body) => ({ ...plain(body), usage: null }),
    right: { costMicros: 'any', shown: /"estimated":true|estimated/ },
  },
];
