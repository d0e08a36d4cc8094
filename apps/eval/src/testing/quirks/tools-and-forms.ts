/** A form beside the tools takes the calls away, or is refused; calls come as text. */
import { offers, resultsIn, wasRefused } from '../chat-body.js';
import { calls, call, final, GOOD, longId, plain, refuse } from '../said.js';
import type { Case } from './case.js';

const asText =
  (text: string): Case['behave'] =>
  (body) =>
    offers(body, 'list_files') && resultsIn(body) === 0 ? final(text) : final();

export const TOOLS_AND_FORMS: Case[] = [
  {
    id: 'K1-form-wins',
    what: 'Where a form is asked for beside tools, the model never calls (llama.cpp, vLLM, Ollama)',
    behave: (body) => (body.response_format !== undefined && (body.tools?.length ?? 0) > 0 ? final() : plain(body)),
    right: { sent: (bodies) => bodies.some((body) => resultsIn(body) > 0) },
  },
  {
    id: 'K1-form-refused',
    what: 'A form beside tools is refused',
    behave: (body) =>
      body.response_format !== undefined && (body.tools?.length ?? 0) > 0
        ? refuse(400, "'response_format' cannot be used together with 'tools'.", { param: 'response_format' })
        : plain(body),
    right: {},
  },
  {
    id: 'K1-call-as-text',
    what: 'The parser of calls is off: a call stands in the text',
    behave: asText('<tool_call>\n{"name": "list_files", "arguments": {}}\n</tool_call>'),
    right: { sent: (bodies) => bodies.some((body) => resultsIn(body) > 0) },
  },
  {
    id: 'K1-bare-call-as-text',
    what: 'A call stands in the text, as an object alone',
    behave: asText('{"name": "list_files", "arguments": {}}'),
    right: { sent: (bodies) => bodies.some((body) => resultsIn(body) > 0) },
  },
  {
    id: 'K1-no-call',
    what: 'An agent whose result rests on its tools answers without any',
    agent: 'data-analyst',
    behave: () => final(JSON.stringify({ ...GOOD, answer: 'Revenue grew by 12 % to 4,711.' })),
    right: { status: 'failed', requests: { atMost: 9 }, shown: /tool|profile_data|query_data/i },
  },
  {
    id: 'K1-arguments-twice-encoded',
    what: 'The arguments of a call are encoded twice',
    behave: (body) => (resultsIn(body) === 0 ? calls([call(longId(), 'list_files', '"{}"')]) : final()),
    right: { sent: (bodies) => !bodies.some(wasRefused) },
  },
];
