/** For specs of APIs that are not chat completions: a stand-in for each test, an adapter on it, a request and what goes on from a reply. */
import type { ModelMessage, ModelReply, ModelRequest } from '@cadre/agents';
import { PriceBook } from '../prices/price-book.js';
import { RemoteModel } from '../remote-model.js';
import type { WireApi } from '../wire-api.js';
import type { WireServer } from './wire-server.js';

export const TOOL = {
  name: 'look',
  description: 'Looks.',
  parameters: { type: 'object', properties: { n: { type: 'integer', exclusiveMinimum: 0 } } },
};

const prices = new PriceBook({ m: { input: 10, cachedInput: 1, cacheWrite: 12, output: 50 } });

export const portOn = ({ baseUrl }: WireServer, api: WireApi): RemoteModel =>
  new RemoteModel({ baseUrl, apiKey: 'k', defaultModel: 'm', api, prices });

export const ask = (over: Partial<ModelRequest> = {}): ModelRequest => ({
  ...{ temperature: 0, maxOutputTokens: 1000, tools: [TOOL] },
  messages: [
    { role: 'system', text: 'S' },
    { role: 'user', text: 'Hello' },
  ],
  ...over,
});

/** The turn of a reply and what its calls came to. */
export const after = (reply: ModelReply, from = reply.from): ModelMessage[] => [
  { role: 'assistant', text: reply.text, toolCalls: reply.toolCalls, ...(from && { from }), ...(reply.extra && { extra: reply.extra }) },
  ...reply.toolCalls.map(({ id }): ModelMessage => ({ role: 'tool', toolCallId: id, text: '{"ok":true}' })),
];
