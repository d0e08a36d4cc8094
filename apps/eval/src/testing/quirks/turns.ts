/** What came with a turn has to go back, and only to the one that gave it. */
import { callsOf, resultsIn, type ChatBody } from '../chat-body.js';
import { call, calls, final, plain, refuse, type Behaviour } from '../said.js';
import type { Case } from './case.js';

const NINE = /^[A-Za-z0-9]{9}$/;
const SIGNATURE = { google: { thought_signature: 'c2lnbmVk' } };
const DETAILS = [{ type: 'reasoning.encrypted', data: 'eHh4', index: 0 }];

/** Takes nothing but ids of nine letters and digits, and gives none itself. */
const nineLetters: Behaviour = (body) => {
  const bad = callsOf(body).find(({ id }) => !NINE.test(id ?? ''));
  if (bad === undefined) return plain(body, 1, () => call(undefined));
  const message = `Tool call id was ${bad.id} but must be a-z, A-Z, 0-9, with a length of 9.`;
  return refuse(400, message, { type: 'invalid_function_call', code: '3280' });
};

const toolTurns = (body: ChatBody): ChatBody['messages'] => body.messages.filter((message) => (message.tool_calls?.length ?? 0) > 0);

export const TURNS: Case[] = [
  { id: 'M04', what: 'Ids must be nine letters and digits, and the server gives none', behave: nineLetters, right: {} },
  {
    id: 'M15',
    what: 'The second turn is refused without the thoughts of the first',
    behave: (body) => {
      if (toolTurns(body).some((message) => !message['reasoning_content'])) {
        return refuse(400, 'reasoning_content is missing in the assistant message; in thinking mode it must be passed back.');
      }
      const said = plain(body);
      said.message['reasoning_content'] = 'First I look which files are there.';
      return said;
    },
    right: {},
  },
  {
    id: 'K4-signature',
    what: 'A call carries a signature that has to come back with it (Gemini 3)',
    behave: (body) => {
      const bad = callsOf(body).some((made) => JSON.stringify(made['extra_content']) !== JSON.stringify(SIGNATURE));
      return bad
        ? refuse(400, 'Function call is missing a thought_signature.')
        : plain(body, 2, () => call(`c${resultsIn(body)}`, 'list_files', '{}', { extra_content: SIGNATURE }));
    },
    right: { requests: 3 },
  },
  {
    id: 'K4-details',
    what: "OpenRouter's reasoning_details have to come back as they were",
    behave: (body) => {
      const bad = toolTurns(body).some((message) => JSON.stringify(message['reasoning_details']) !== JSON.stringify(DETAILS));
      if (bad) return refuse(400, 'reasoning_details must be passed back unmodified.');
      const said = plain(body);
      said.message['reasoning_details'] = DETAILS;
      return said;
    },
    right: {},
  },
  {
    id: 'K4-empty-text',
    what: 'A turn of calls may hold no empty text, and no white space',
    behave: (body) =>
      body.messages.some(({ content }) => typeof content === 'string' && content.trim() === '')
        ? refuse(400, 'messages: text content blocks must be non-empty')
        : plain(body),
    right: {},
  },
  {
    id: 'K4-same-id',
    what: 'The server gives each call the same id, and refuses two of one',
    behave: (body) => {
      const ids = callsOf(body).map(({ id }) => id);
      return new Set(ids).size < ids.length ? refuse(400, 'Duplicate tool call id.') : plain(body, 2, () => call('call_0'));
    },
    right: { requests: 3 },
  },
  {
    id: 'K4-made-up-name',
    what: 'A name of a tool that the model made up stands in no later request as it was',
    behave: (body) => {
      if (callsOf(body).some((made) => !/^[A-Za-z0-9_-]{1,64}$/.test(made.function.name)))
        return refuse(400, "Invalid 'tool_calls[0].function.name'.");
      return resultsIn(body) === 0 ? calls([call('call_x', 'list_files<|channel|>commentary')]) : final();
    },
    right: { requests: { atMost: 3 } },
  },
];

/** Alpha breaks down after its first turn; beta, the fallback, takes nine letters and digits alone. */
export const FALLBACK: Record<'alpha' | 'beta', Behaviour> = {
  alpha: (body) =>
    resultsIn(body) === 0 ? plain(body) : refuse(404, 'The model alpha does not exist any more.', { code: 'model_not_found' }),
  beta: nineLetters,
};
