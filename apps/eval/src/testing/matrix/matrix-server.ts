/**
 * A stand-in on a free port: the deterministic model behind one server's wire, which keeps its own account of what it takes for its
 * answers.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { complete } from '../../../../model-sim/src/wire/completion.js';
import { NO_FAULTS } from '../../../../model-sim/src/wire/faults.js';
import { loadTokenCounter } from '../../../../model-sim/src/wire/tokens.js';
import type { Answer, Asked, Body, Counts, Rates, Refusal, ServerProfile, Thought, Turn } from './profile.js';

export interface Mood {
  thinks?: boolean;
  /** Refused from this request on, counted from 1, for so long. */
  limited?: { from: number; ms: number };
  /** Not ready from the first request on, for so long. */
  notReadyMs?: number;
}

export interface Exchange {
  atMs: number;
  body: Body;
  status: number;
  /** What was said to a request that was turned away. */
  refused?: unknown;
  counts?: Counts;
}

export class MatrixServer {
  readonly exchanges: Exchange[] = [];
  /** Millionths of a dollar for all answers. */
  billedMicros = 0;
  private late: NodeJS.Timeout | undefined;
  private port = 0;
  private readonly thoughts = new Map<string, Thought>();
  private begins = new Map<string, number>();
  private calls = 0;

  private constructor(
    private readonly server: Server,
    readonly profile: ServerProfile,
    private readonly mood: Mood,
  ) {}

  static async start(profile: ServerProfile, mood: Mood = {}): Promise<MatrixServer> {
    const server = createServer((request, response) => void standIn.serve(request, response));
    const standIn = new MatrixServer(server, profile, mood);
    await listening(server, 0);
    standIn.port = (server.address() as AddressInfo).port;
    if (profile.notReady === 'unreachable' && mood.notReadyMs !== undefined) standIn.openLate(mood.notReadyMs);
    return standIn;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}${this.profile.base}`;
  }

  /** The port is known, and nobody listens there for a while. */
  private openLate(ms: number): void {
    this.server.close();
    this.late = setTimeout(() => void listening(this.server, this.port), ms);
  }

  get refusals(): Exchange[] {
    return this.exchanges.filter(({ status }) => status !== 200);
  }

  /** What the real server would say to this request; undefined: it takes it. */
  judge(body: Body, headers: Asked['headers'] = GOOD_HEADERS): Refusal | undefined {
    const { profile, mood, thoughts } = this;
    return profile.refuses({ body, headers, thinks: mood.thinks === true, thoughtOf: (id) => thoughts.get(id) });
  }

  async stop(): Promise<void> {
    clearTimeout(this.late);
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { base, wire } = this.profile;
    if (request.method !== 'POST' || request.url !== `${base}${wire.path}`)
      return send(response, { status: 404, body: { error: 'not found' } });
    const exchange: Exchange = { atMs: performance.now(), body: JSON.parse(text) as Body, status: 200 };
    this.exchanges.push(exchange);
    const refusal = this.busy(exchange.atMs) ?? this.judge(exchange.body, plain(request.headers));
    if (refusal) {
      Object.assign(exchange, { status: refusal.status, refused: refusal.body });
      return send(response, refusal);
    }
    give(response, await this.answer(exchange));
  }

  private busy(now: number): Refusal | undefined {
    const { limited, notReadyMs } = this.mood;
    const left = (what: string, ms: number): number => {
      if (!this.begins.has(what)) this.begins.set(what, now);
      return this.begins.get(what)! + ms - now;
    };
    const { notReady } = this.profile;
    if (notReadyMs !== undefined && notReady !== 'unreachable') {
      const ms = left('not ready', notReadyMs);
      if (ms > 0) return notReady(ms);
    }
    if (limited === undefined || this.exchanges.length < limited.from) return undefined;
    const ms = left('limited', limited.ms);
    return ms > 0 ? this.profile.limited(ms) : undefined;
  }

  private async answer(exchange: Exchange): Promise<Answer> {
    const { wire, rates } = this.profile;
    const request = wire.read(exchange.body);
    const reasoning = this.mood.thinks === true ? 40 + this.exchanges.length : 0;
    const room = Math.max(1, (request.max_tokens ?? 16_384) - reasoning);
    const { reply, finish, usage } = complete({ ...request, max_tokens: room }, await loadTokenCounter(), NO_FAULTS);
    const calls = reply.toolCalls.map((call) => ({ ...call, id: wire.callId((this.calls += 1)) }));
    const number = this.exchanges.length;
    const thought = reasoning > 0 ? { text: `I look at what is there first (${number}).`, seal: sealOf(number) } : undefined;
    if (thought) for (const { id } of calls) this.thoughts.set(id, thought);
    const isFirst = !request.messages.some(({ role }) => role === 'tool');
    const counts = {
      ...{ prompt: usage.prompt_tokens, output: usage.completion_tokens + reasoning, reasoning },
      cached: isFirst ? 0 : Math.floor(usage.prompt_tokens / 2),
      written: rates.cacheWrite === undefined ? 0 : Math.floor(usage.prompt_tokens / 5),
    };
    this.billedMicros += microsOf(counts, rates);
    exchange.counts = counts;
    const turn: Turn = { text: reply.text, calls, cut: finish === 'length', ...(thought && { thought }) };
    return wire.answer(turn, counts, exchange.body);
  }
}

async function listening(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
}

const GOOD_HEADERS = { authorization: 'Bearer key', 'x-api-key': 'key', 'anthropic-version': '2023-06-01' };
const sealOf = (number: number): string => Buffer.from(`sealed thoughts of answer ${number}`).toString('base64');

/** Each call rounded up, in whole numbers throughout: rates have at most three decimals. */
export function microsOf({ prompt, cached, written, output }: Counts, rates: Rates): number {
  const { input, output: out, cachedInput = input, cacheWrite = input } = rates;
  const thousandths = (rate: number): number => Math.round(rate * 1000);
  const fresh = prompt - cached - written;
  const all =
    fresh * thousandths(input) + cached * thousandths(cachedInput) + written * thousandths(cacheWrite) + output * thousandths(out);
  return Math.ceil(all / 1000);
}

function plain(headers: IncomingMessage['headers']): Asked['headers'] {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]));
}

function send(response: ServerResponse, { status, body, headers = {} }: Refusal): void {
  const isText = typeof body === 'string';
  response.writeHead(status, { 'content-type': isText ? 'text/html' : 'application/json', ...headers });
  response.end(isText ? body : JSON.stringify(body));
}

function give(response: ServerResponse, { events, body }: Answer): void {
  if (!events) return send(response, { status: 200, body });
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  for (const event of events) response.write(event);
  response.end();
}
