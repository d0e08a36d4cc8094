/**
 * Stands between Cadre and the model server and lets everything through as it is. What tools have answered is read from the requests,
 * which nobody who answers can change: the checks rest on that, and on no word of an answer.
 */
import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ToolResult } from './outcome.js';

interface Message {
  role?: string;
  content?: unknown;
  tool_call_id?: string;
  tool_calls?: { id?: string; function?: { name?: string } }[];
}

export class RecordingProxy {
  /** By goal; each tool result once. */
  readonly #results = new Map<string, Map<string, ToolResult>>();

  private constructor(
    private readonly server: Server,
    private readonly upstream: () => URL,
  ) {}

  /** @param upstream the server's base URL, asked for at each request */
  static async start(upstream: () => URL): Promise<RecordingProxy> {
    const server = createServer((request, response) => void proxy.pass(request, response));
    const proxy = new RecordingProxy(server, upstream);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  resultsOf(goal: string): ToolResult[] {
    return [...(this.#results.get(goal)?.values() ?? [])];
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    this.note(body.toString('utf8'));
    const base = this.upstream();
    const url = new URL(base.href.replace(/\/$/, '') + (request.url ?? ''));
    const { host: _, ...headers } = request.headers;
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const onward = send(url, { method: request.method, headers: { ...headers, 'content-length': body.length } }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    onward.end(body);
  }

  private note(text: string): void {
    const { messages } = parsed(text) as { messages?: Message[] };
    if (!Array.isArray(messages)) return;
    const brief = messages.map(({ role, content }) => (role === 'user' ? parsed(textOf(content)) : undefined));
    const goal = (brief.find((each) => typeof (each as { goal?: unknown } | undefined)?.goal === 'string') as { goal: string } | undefined)
      ?.goal;
    if (goal === undefined) return;
    const names = new Map(messages.flatMap(({ tool_calls = [] }) => tool_calls.map((call) => [call.id ?? '', call.function?.name ?? ''])));
    const results = this.#results.get(goal) ?? new Map<string, ToolResult>();
    this.#results.set(goal, results);
    for (const { role, tool_call_id: id = '', content } of messages) {
      const result = textOf(content);
      if (role === 'tool') results.set(`${names.get(id)} ${result}`, { name: names.get(id) ?? '', result });
    }
  }
}

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return Array.isArray(content) ? content.map((part: { text?: string }) => part.text ?? '').join('\n') : '';
}
