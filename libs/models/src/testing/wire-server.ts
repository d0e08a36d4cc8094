/** A model server on a real socket whose every answer the spec writes. */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  path: string | undefined;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
}
export type Answer = (response: ServerResponse, seen: Seen, request: IncomingMessage) => unknown;

export class WireServer {
  seen: Seen[] = [];
  answer: Answer = (response) => reply(response, 500, { error: { message: 'The spec has said nothing.' } });

  private constructor(private readonly server: Server) {}

  static async start(): Promise<WireServer> {
    const server = createServer((request, response) => void self.serve(request, response));
    const self = new WireServer(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return self;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const seen = { path: request.url, headers: request.headers, body: JSON.parse(text) as Seen['body'] };
    this.seen.push(seen);
    this.answer(response, seen, request);
  }
}

/** @param body text as it is, or a value that becomes JSON */
export function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** Server-sent events. @param values text as it is, all else as JSON @param ends whether the answer ends with them */
export function stream(response: ServerResponse, values: unknown[], ends = true): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const value of values) response.write(`data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`);
  if (ends) response.end();
}

/** A chat completion. @param more goes over the usual fields */
export function completion(message: object, more: object = {}): object {
  return {
    id: 'x',
    object: 'chat.completion',
    model: 'cadre-sim-1',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: null, ...message } }],
    usage: { prompt_tokens: 1000, completion_tokens: 50, total_tokens: 1050 },
    ...more,
  };
}
