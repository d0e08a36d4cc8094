/**
 * A model server on the wire of chat completions whose behaviour goes by the name of the model that is asked. Whole answers and streams.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { capOf, promptOf, resultsIn, type ChatBody } from './chat-body.js';
import type { Behaviour, Said, Usage } from './said.js';

/** One request, and what became of it. */
export interface Asked {
  model: string;
  atMs: number;
  cap: number;
  body: ChatBody;
  toolResults: number;
  format: string | undefined;
  status?: number;
  usage?: Usage | null;
  endedMs?: number;
  /** The client went away before it had the whole answer. */
  clientLeft?: true;
}

const OUTPUT_TOKENS = 60;

export class StandIn {
  readonly asked: Asked[] = [];
  readonly #began = performance.now();

  private constructor(
    private readonly server: Server,
    private readonly behaviours: ReadonlyMap<string, Behaviour>,
  ) {}

  static async start(behaviours: ReadonlyMap<string, Behaviour>): Promise<StandIn> {
    const server = createServer((request, response) => void standIn.serve(request, response));
    const standIn = new StandIn(server, behaviours);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return standIn;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.port}/v1`;
  }

  of(model: string): Asked[] {
    return this.asked.filter((each) => each.model === model);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') {
      const data = [...this.behaviours.keys()].map((id) => ({ id, object: 'model' }));
      return send(response, 200, { object: 'list', data });
    }
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const body = JSON.parse(text) as ChatBody;
    const behave = this.behaviours.get(body.model);
    if (behave === undefined)
      return send(response, 404, { error: { message: `The model ${body.model} does not exist.`, code: 'model_not_found' } });
    const first = this.of(body.model)[0];
    const asked = this.note(body, response);
    const said = behave(body, { n: this.of(body.model).length, sinceMs: asked.atMs - (first ?? asked).atMs });
    await sleep(said.afterMs ?? 0);
    if (!response.destroyed) await this.answer(response, asked, said);
  }

  private note(body: ChatBody, response: ServerResponse): Asked {
    const asked: Asked = {
      ...{ model: body.model, atMs: performance.now() - this.#began, cap: capOf(body), body },
      ...{ toolResults: resultsIn(body), format: body.response_format?.type },
    };
    this.asked.push(asked);
    response.on('close', () => {
      asked.endedMs = performance.now() - this.#began;
      if (!response.writableFinished) asked.clientLeft = true;
    });
    return asked;
  }

  private async answer(response: ServerResponse, asked: Asked, said: Said): Promise<void> {
    asked.status = 'status' in said ? said.status : 200;
    if ('status' in said) return send(response, said.status, said.body, said.headers);
    const prompt = promptOf(asked.body);
    const counted = { prompt_tokens: prompt, completion_tokens: OUTPUT_TOKENS, total_tokens: prompt + OUTPUT_TOKENS };
    asked.usage = said.usage === undefined ? counted : said.usage;
    const frame = { id: `chatcmpl-${this.asked.length}`, created: 1_790_000_000, model: said.model ?? asked.model };
    if (asked.body.stream === true) return stream(response, frame, asked, said);
    const choices = [{ index: 0, message: said.message, finish_reason: said.finish }];
    send(response, 200, { ...frame, object: 'chat.completion', choices, ...(asked.usage && { usage: asked.usage }) });
  }
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const isText = typeof body === 'string';
  response.writeHead(status, { 'content-type': isText ? 'text/html' : 'application/json', ...headers });
  response.end(isText ? body : JSON.stringify(body));
}

async function stream(response: ServerResponse, frame: object, asked: Asked, said: Extract<Said, { message: unknown }>): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const put = (chunk: object): unknown =>
    response.write(`data: ${JSON.stringify({ ...frame, object: 'chat.completion.chunk', ...chunk })}\n\n`);
  const deltas = deltasOf(said);
  for (const [index, delta] of deltas.entries()) {
    if (said.stalls === true && index === Math.floor(deltas.length / 2)) return;
    put({ choices: [{ index: 0, delta, finish_reason: null }] });
    if (said.pieceMs !== undefined) await sleep(said.pieceMs);
  }
  put({ choices: [{ index: 0, delta: {}, finish_reason: said.finish }] });
  if (asked.usage && asked.body.stream_options?.include_usage === true) put({ choices: [], usage: asked.usage });
  response.end('data: [DONE]\n\n');
}

/** Text in pieces of some letters; all else whole, as some servers send it. */
function deltasOf({ message }: Extract<Said, { message: unknown }>): object[] {
  const { role, content, tool_calls, ...others } = message;
  const pieces = typeof content === 'string' ? (content.match(/[\s\S]{1,12}/g) ?? ['']) : [content];
  return [
    { role, ...(Object.keys(others).length > 0 && others) },
    ...pieces.map((piece) => ({ content: piece })),
    ...(tool_calls ?? []).map((made, index) => ({ tool_calls: [{ index, ...made }] })),
  ];
}
