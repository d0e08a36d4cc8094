/**
 * A listener through lost connections and to its end, against a server that says what it is told to. What channels do is in the gateway's
 * specs.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CadreClient } from './cadre-client.js';

let server: Server;
let asked: IncomingMessage[];
let answers: string[];
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(answers.shift());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => (asked = []));

const message = (id: string) => ({ id, channel: 'c', from: 'ann', type: 'x', at: 1, data: null });
const frame = (id: string, position?: number) =>
  `${position === undefined ? '' : `id: ${position}\n`}event: message\ndata: ${JSON.stringify(message(id))}\n\n`;
const end = (reason: string) => `event: end\ndata: {"reason":"${reason}"}\n\n`;

async function heard(options = {}): Promise<string[]> {
  const { channels } = new CadreClient({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  const ids: string[] = [];
  for await (const { message: each, position } of channels.listen('c', options)) ids.push(`${each.id}@${position}`);
  return ids;
}

test('a durable channel is taken up again after the last message, and ends with the channel', async () => {
  answers = [`retry: 1\n\n${frame('m1', 7)}${frame('m2', 9)}`, `: quiet\n\n${frame('m3', 12)}${end('removed')}`];
  expect(await heard({ as: 'bob', types: ['a.*', 'b'], where: 'message.data > 1', after: 5 })).toEqual(['m1@7', 'm2@9', 'm3@12']);
  expect(asked.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '9']);
  expect(asked[0]?.url).toBe('/v1/channels/c/messages?types=a.*%2Cb&as=bob&where=message.data+%3E+1&after=5');
});

test.each([
  ['not-allowed', 'forbidden'],
  ['overrun', 'listener-overrun'],
])('the end %s is the error %s', async (reason, code) => {
  answers = [`${frame('m1')}${end(reason)}`];
  await expect(heard()).rejects.toMatchObject({ code });
});

test('a page has the data of its messages', async () => {
  const placed = { position: 3, message: { ...message('m1'), data: { impact: { size: 'high' } } } };
  answers = [JSON.stringify({ messages: [placed], next: 3, more: false })];
  const { channels } = new CadreClient({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  expect((await channels.page('c', { limit: 1 })).messages).toEqual([placed]);
});

test('what is no message is an error', async () => {
  answers = ['event: message\ndata: {"id":1}\n\n'];
  await expect(heard()).rejects.toMatchObject({ code: 'bad-answer' });
});
