/** How answers come: in pieces, in one, cut, late. Real sockets. */
import { setTimeout as delay } from 'node:timers/promises';
import { brotliCompressSync, createGzip, deflateSync, gzipSync } from 'node:zlib';
import type { ModelRequest } from '@cadre/agents';
import { CadreError } from '@cadre/contracts';
import { RemoteModel } from './remote-model.js';
import type { RemoteModelOptions } from './remote-model.js';
import { PriceBook } from './prices/price-book.js';
import { WireServer, completion, reply as send, stream } from './testing/wire-server.js';

const never = new AbortController().signal;
const USAGE = { prompt_tokens: 9, completion_tokens: 20, total_tokens: 29 };
const delta = (fields: object, more: object = {}) => ({ model: 'm', choices: [{ index: 0, delta: fields, finish_reason: null }], ...more });
const finish = (reason: string, more: object = {}) => ({ model: 'm', choices: [{ index: 0, delta: {}, finish_reason: reason }], ...more });
const piece = (index: number | undefined, id: string | undefined, name: string | undefined, args: string | undefined) =>
  delta({
    tool_calls: [
      {
        ...(index !== undefined && { index }),
        ...(id !== undefined && { id, type: 'function' }),
        function: { ...(name !== undefined && { name }), ...(args !== undefined && { arguments: args }) },
      },
    ],
  });

let server: WireServer;
beforeEach(async () => {
  server = await WireServer.start();
});
afterEach(() => server.stop());

const port = (options: Partial<RemoteModelOptions> = {}) =>
  new RemoteModel({ baseUrl: server.baseUrl, defaultModel: 'm', prices: new PriceBook({ m: { input: 1, output: 1 } }), ...options });
const ask = (over: Partial<ModelRequest> = {}): ModelRequest => ({
  temperature: 0,
  maxOutputTokens: 100,
  messages: [{ role: 'user', text: 'Hello' }],
  tools: [{ name: 'look', description: '', parameters: {} }],
  ...over,
});
const chunks = (...values: unknown[]) => (server.answer = (response) => stream(response, values));

describe('text', () => {
  test.each<[string, unknown[]]>([
    [
      'usage at the end',
      [
        delta({ role: 'assistant', content: '' }),
        delta({ content: 'o' }),
        delta({ content: 'k' }),
        finish('stop'),
        { model: 'm', choices: [], usage: USAGE },
      ],
    ],
    ['usage in each chunk', [delta({ content: 'ok' }, { usage: { ...USAGE, completion_tokens: 1 } }), finish('stop', { usage: USAGE })]],
    ['usage with the finish', [delta({ content: 'ok' }), finish('stop', { usage: USAGE })]],
  ])('%s', async (_, values) => {
    chunks(...values, '[DONE]');
    expect(await port().complete(ask(), never)).toMatchObject({
      text: 'ok',
      finish: 'stop',
      inputTokens: 9,
      outputTokens: 20,
      costMicros: 29,
    });
  });

  test('no usage at all is estimated', async () => {
    chunks(delta({ content: 'ok' }), finish('stop'), '[DONE]');
    expect(await port().complete(ask(), never)).toMatchObject({ text: 'ok', estimated: true });
  });

  test('a stream without a last word is whole when it says that it is', async () => {
    chunks(delta({ content: 'ok' }), finish('stop'));
    expect(await port().complete(ask(), never)).toMatchObject({ text: 'ok' });
  });

  test('comments, names, carriage returns and a character cut in two are no matter', async () => {
    server.answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
      const text = `: OPENROUTER PROCESSING\r\n\r\nevent: message\r\ndata:${JSON.stringify(delta({ content: 'Zürich' }))}\r\n\r\ndata: ${JSON.stringify(finish('stop'))}\r\n\r\ndata: [DONE]`;
      for (const byte of Buffer.from(text)) response.write(Buffer.from([byte]));
      response.end();
    };
    expect(await port().complete(ask(), never)).toMatchObject({ text: 'Zürich' });
  });

  test.each(['application/json', 'text/plain'])('a stream under the name %s', async (type) => {
    server.answer = (response) =>
      send(
        response,
        200,
        `data: ${JSON.stringify(delta({ content: 'ok' }))}\n\ndata: ${JSON.stringify(finish('stop'))}\n\ndata: [DONE]\n\n`,
        { 'content-type': type },
      );
    expect(await port().complete(ask(), never)).toMatchObject({ text: 'ok' });
  });

  test('whoever watches is told of text and thoughts', async () => {
    chunks(
      delta({ reasoning_content: 'h' }),
      delta({ reasoning_content: 'm' }),
      delta({ content: 'o' }),
      delta({ content: 'k' }),
      finish('stop'),
      '[DONE]',
    );
    const told: object[] = [];
    const reply = await port().complete(ask({ onDelta: (each) => told.push(each) }), never);
    expect(told).toEqual([{ reasoning: 'h' }, { reasoning: 'm' }, { text: 'o' }, { text: 'k' }]);
    expect(reply).toMatchObject({ text: 'ok', reasoning: 'hm' });
  });

  test('thoughts in the text are told as thoughts', async () => {
    chunks(...['<th', 'ink>h', 'm</th', 'ink>', '\nok'].map((content) => delta({ content })), finish('stop'), '[DONE]');
    const told = { text: '', reasoning: '' };
    await port().complete(ask({ onDelta: ({ text = '', reasoning = '' }) => ((told.text += text), (told.reasoning += reasoning)) }), never);
    expect(told).toEqual({ text: 'ok', reasoning: 'hm' });
  });
});

describe('calls', () => {
  const TWO = [
    { name: 'look', arguments: '{"a":1}' },
    { name: 'look', arguments: '{"b":2}' },
  ];
  test.each<[string, object[]]>([
    [
      'in pieces by index',
      [
        piece(0, 'id1', 'look', ''),
        piece(0, undefined, undefined, '{"a"'),
        piece(0, undefined, undefined, ':1}'),
        piece(1, 'id2', 'look', '{"b":2}'),
      ],
    ],
    ['whole, without an index', [piece(undefined, 'id1', 'look', '{"a":1}'), piece(undefined, 'id2', 'look', '{"b":2}')]],
    [
      'in pieces, without an index',
      [piece(undefined, 'id1', 'look', '{"a"'), piece(undefined, undefined, undefined, ':1}'), piece(undefined, 'id2', 'look', '{"b":2}')],
    ],
    ['without ids', [piece(0, undefined, 'look', '{"a":1}'), piece(1, undefined, 'look', '{"b":2}')]],
    ['all with index 0', [piece(0, 'id1', 'look', '{"a":1}'), piece(0, 'id2', 'look', '{"b":2}')]],
    ['id and name in each piece', [piece(0, 'id1', 'look', '{"a"'), piece(0, 'id1', 'look', ':1}'), piece(1, 'id2', 'look', '{"b":2}')]],
    [
      'in turns',
      [
        piece(0, 'id1', 'look', '{"a"'),
        piece(1, 'id2', 'look', '{"b"'),
        piece(0, undefined, undefined, ':1}'),
        piece(1, undefined, undefined, ':2}'),
      ],
    ],
  ])('%s', async (_, pieces) => {
    chunks(...pieces, finish('tool_calls'), '[DONE]');
    const { toolCalls, finish: end } = await port().complete(ask(), never);
    expect(end).toBe('tool-calls');
    expect(toolCalls).toMatchObject(TWO);
    expect(new Set(toolCalls.map(({ id }) => id)).size).toBe(2);
    expect(toolCalls.every(({ id }) => id !== '')).toBe(true);
  });

  test('what only the server understands is put together', async () => {
    const part = (text: string) => delta({ reasoning_details: [{ type: 'reasoning.text', index: 0, text }] });
    const sealed = delta({ reasoning_details: [{ type: 'reasoning.encrypted', index: 1, data: 'x' }] });
    const signed = delta({
      tool_calls: [
        { index: 0, id: 'id1', function: { name: 'look', arguments: '{}' }, extra_content: { google: { thought_signature: 's' } } },
      ],
    });
    chunks(part('I '), part('look.'), sealed, signed, finish('tool_calls'), '[DONE]');
    expect(await port().complete(ask(), never)).toMatchObject({
      reasoning: 'I look.',
      extra: {
        reasoning_details: [
          { type: 'reasoning.text', index: 0, text: 'I look.' },
          { type: 'reasoning.encrypted', index: 1, data: 'x' },
        ],
      },
      toolCalls: [{ extra: { extra_content: { google: { thought_signature: 's' } } } }],
    });
  });
});

describe('trouble on the way', () => {
  test('an error before the first word costs nothing, one behind it may', async () => {
    const error = { error: { message: 'Slow down', code: 429 } };
    chunks(error);
    await expect(port().complete(ask(), never)).rejects.toMatchObject({ code: 'model-rate-limited', billed: 'no' });
    chunks(delta({ content: 'Half' }), { ...error, choices: [{ index: 0, delta: {}, finish_reason: 'error' }] });
    await expect(port().complete(ask(), never)).rejects.toMatchObject({ code: 'model-rate-limited', billed: 'unknown' });
  });

  test.each<[string, unknown[], object]>([
    ['whole calls', [piece(0, 'a', 'look', '{"n":'), piece(0, undefined, undefined, '1}')], { toolCalls: [{ arguments: '{"n":1}' }] }],
    ['a whole object', [delta({ content: '{"answer":"ok",' }), delta({ content: '"confidence":0.8}' })], { finish: 'stop' }],
    ['a count at the end', [delta({ content: 'ok' }), { model: 'm', choices: [], usage: USAGE }], { text: 'ok' }],
  ])('a stream that ends with %s needs no word of its end', async (_, values, reply) => {
    chunks(...values);
    expect(await port().complete(ask(), never)).toMatchObject(reply);
  });

  test.each<[string, unknown[]]>([
    ['words', [delta({ content: 'Half' })]],
    ['words that are counted as they come', [delta({ content: 'Half' }, { usage: USAGE })]],
    ['half a call', [piece(0, 'a', 'look', '{"n":')]],
    ['half an object', [delta({ content: '{"answer":"o' })]],
    ['nothing', []],
  ])('a stream that ends with %s and without a word of its end is no answer', async (_, values) => {
    chunks(...values);
    await expect(port().complete(ask(), never)).rejects.toMatchObject({ code: 'model-garbled', retriable: true, billed: 'unknown' });
  });

  test('what had come of a cut answer is told', async () => {
    server.answer = (response) => {
      stream(response, [delta({ content: 'Half of ' }), delta({ content: 'it' })], false);
      setTimeout(() => response.socket?.resetAndDestroy(), 50);
    };
    await expect(port().complete(ask(), never)).rejects.toMatchObject({
      ...{ code: 'model-unavailable', billed: 'unknown', retriable: true },
      message: expect.stringContaining('"Half of it"') as string,
    });
    chunks(delta({ content: 'Half' }));
    await expect(port().complete(ask(), never)).rejects.toMatchObject({
      message: expect.stringContaining('said neither why nor that it was the end') as string,
    });
  });

  test('a server that refuses to stream is asked without, and remembered', async () => {
    server.answer = (response, { body }) =>
      body['stream']
        ? send(response, 400, { error: { message: 'Streaming is not supported.' } })
        : send(response, 200, completion({ content: 'ok' }));
    const model = port();
    for (let i = 0; i < 2; i += 1) expect(await model.complete(ask(), never)).toMatchObject({ text: 'ok' });
    expect(server.seen.map(({ body }) => 'stream' in body)).toEqual([true, false, false]);
  });

  test('a server that knows no stream_options keeps streaming', async () => {
    server.answer = (response, { body }) =>
      'stream_options' in body
        ? send(response, 422, { detail: [{ loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted' }] })
        : stream(response, [delta({ content: 'ok' }), finish('stop'), '[DONE]']);
    expect(await port().complete(ask(), never)).toMatchObject({ text: 'ok', estimated: true });
  });
});

describe('time', () => {
  test('silence is limited, not the answer', async () => {
    server.answer = async (response) => {
      for (const content of ['a', 'b', 'c', 'd', 'e', 'f']) {
        stream(response, [delta({ content })], false);
        await delay(100);
      }
      stream(response, [finish('stop'), '[DONE]']);
    };
    expect(await port({ timeoutMs: 400 }).complete(ask(), never)).toMatchObject({ text: 'abcdef' });
  });

  test.each<[string, Partial<RemoteModelOptions>, number, string]>([
    ['before the first word', { timeoutMs: 200 }, 0, 'CADRE_MODEL_TIMEOUT_MS'],
    ['between words', { timeoutMs: 20_000, idleMs: 200 }, 1, 'CADRE_MODEL_IDLE_MS'],
  ])('the error names the limit: %s', async (_, options, words, setting) => {
    server.answer = (response) => words > 0 && stream(response, [delta({ content: 'Half' })], false);
    const error = await port(options)
      .complete(ask(), never)
      .then(
        () => undefined,
        (reason: unknown) => reason as CadreError,
      );
    expect(error).toMatchObject({ code: 'model-timeout', billed: 'unknown', retriable: true });
    expect(`${error?.message} ${error?.remedy}`).toContain(setting);
  });

  test('a stop closes the connection, so that the server stops writing', async () => {
    const controller = new AbortController();
    const closed = new Promise<void>((resolve) => {
      server.answer = (response) => {
        stream(response, [delta({ content: 'Half' })], false);
        response.on('close', () => resolve());
      };
    });
    const told = () => controller.abort(new CadreError('cancelled', 'Stop.'));
    await expect(port().complete(ask({ onDelta: told }), controller.signal)).rejects.toMatchObject({
      code: 'cancelled',
      billed: 'unknown',
    });
    await closed;
  });

  test('a connection is used again', async () => {
    const sockets = new Set<unknown>();
    server.answer = (response, _, request) => {
      sockets.add(request.socket);
      stream(response, [delta({ content: 'ok' }), finish('stop'), '[DONE]']);
    };
    const model = port();
    for (let i = 0; i < 4; i += 1) {
      await model.complete(ask(), never);
      await delay(20);
    }
    expect(sockets.size).toBe(1);
  });
});

describe('an answer that is packed, though nobody asked for that', () => {
  const pack: Record<string, (text: string) => Buffer> = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };
  const events = [delta({ content: 'ok' }), finish('stop', { usage: USAGE })].map((each) => `data: ${JSON.stringify(each)}\n\n`).join('');

  test.each(Object.keys(pack))('%s, as a stream, whole, and as a refusal', async (encoding) => {
    const answerWith = (status: number, type: string, text: string) => {
      server.answer = (response) => {
        response.writeHead(status, { 'content-type': type, 'content-encoding': encoding });
        response.end(pack[encoding]!(text));
      };
    };
    answerWith(200, 'text/event-stream', `${events}data: [DONE]\n\n`);
    expect(await port().complete(ask(), never)).toMatchObject({ text: 'ok', finish: 'stop' });
    answerWith(200, 'application/json', JSON.stringify(completion({ content: 'ok' })));
    expect(await port().complete(ask(), never)).toMatchObject({ text: 'ok' });
    answerWith(401, 'application/json', '{"error": {"message": "No such key."}}');
    await expect(port().complete(ask(), never)).rejects.toMatchObject({
      code: 'model-unauthorized',
      message: expect.stringContaining('No such key.'),
    });
  });

  test('pieces are given on as they come', async () => {
    const packer = createGzip();
    server.answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
      packer.pipe(response);
      packer.write(`data: ${JSON.stringify(delta({ content: 'first' }))}\n\n`);
      packer.flush();
    };
    const told: string[] = [];
    const reply = port().complete(ask({ onDelta: ({ text = '' }) => void told.push(text) }), never);
    while (told.length === 0) await delay(5);
    expect(told).toEqual(['first']);
    packer.end(`data: ${JSON.stringify(finish('stop', { usage: USAGE }))}\n\ndata: [DONE]\n\n`);
    expect(await reply).toMatchObject({ text: 'first' });
  });
});
