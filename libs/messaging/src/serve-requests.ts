/**
 * A request/reply endpoint: JSON in, JSON out, the trace context in the header `traceparent`. A failure becomes an error reply
 * `{"error": {code, message, retriable, remedy?}}` with the headers of NATS micro services, so that other tools see it too.
 */
import { CadreError, HEADERS } from '@cadre/contracts';
import { headers, type Msg, type NatsConnection, type PublishOptions, type Subscription } from '@nats-io/transport-node';
import type { MessageLog } from './message-log.js';
import { TraceContext } from './trace-context.js';

export interface RequestContext {
  subject: string;
  /** Of this hop: a child of the sender's, or new. */
  readonly trace: TraceContext;
  /** One header of the request, if there. */
  header(name: string): string | undefined;
}

/** The request is whatever JSON came: validate it. Throw `CadreError` to answer with an error. */
export type RequestHandler = (request: unknown, context: RequestContext) => unknown;

export interface ServeOptions {
  /** Members of a queue share the requests. */
  queue?: string;
  /** Name of the endpoint in `nats micro`; letters, digits, - and _. Default: from the subject. */
  name?: string;
  log?: MessageLog;
}

export interface EndpointStats {
  requests: number;
  errors: number;
  lastError: string;
  /** Sum over all requests. */
  processingMs: number;
}

export interface RequestEndpoint {
  readonly name: string;
  readonly subject: string;
  readonly queue: string;
  stats(): EndpointStats;
  /** Takes no more requests and answers those that it has. */
  stop(): Promise<void>;
}

export const ERROR_HEADERS = { code: 'Nats-Service-Error-Code', message: 'Nats-Service-Error' } as const;

export function serveRequests(nats: NatsConnection, subject: string, options: ServeOptions, handler: RequestHandler): RequestEndpoint {
  return new JsonEndpoint(nats, subject, options, handler);
}

class JsonEndpoint implements RequestEndpoint {
  readonly name: string;
  readonly queue: string;
  private readonly subscription: Subscription;
  private readonly working = new Set<Promise<void>>();
  private readonly counts: EndpointStats = { requests: 0, errors: 0, lastError: '', processingMs: 0 };

  constructor(
    nats: NatsConnection,
    readonly subject: string,
    private readonly options: ServeOptions,
    private readonly handler: RequestHandler,
  ) {
    this.name = options.name ?? subject.replace(/[^A-Za-z0-9_-]+/g, '-');
    this.queue = options.queue ?? '';
    this.subscription = nats.subscribe(subject, {
      ...(options.queue === undefined ? {} : { queue: options.queue }),
      callback: (error, message) => {
        if (error) this.options.log?.warn({ err: error, subject }, 'subscription failed');
        else this.take(message);
      },
    });
  }

  stats(): EndpointStats {
    return { ...this.counts };
  }

  async stop(): Promise<void> {
    if (!this.subscription.isClosed() && !this.subscription.isDraining()) await this.subscription.drain().catch(() => undefined);
    while (this.working.size > 0) await Promise.all(this.working);
  }

  private take(message: Msg): void {
    const work = this.answer(message).finally(() => this.working.delete(work));
    this.working.add(work);
  }

  /** Never rejects: one bad message gets an error reply. */
  private async answer(message: Msg): Promise<void> {
    const started = performance.now();
    this.counts.requests += 1;
    const context = new MessageContext(message);
    try {
      const reply = JSON.stringify((await this.handler(parse(message), context)) ?? null);
      message.respond(reply, context.replyOptions());
    } catch (error) {
      this.refuse(message, context.trace, error);
    } finally {
      this.counts.processingMs += performance.now() - started;
    }
  }

  private refuse(message: Msg, trace: TraceContext, error: unknown): void {
    const fault = error instanceof CadreError ? error : new CadreError('internal', 'the request failed', { cause: error });
    this.counts.errors += 1;
    this.counts.lastError = `${fault.code}: ${fault.message}`;
    this.options.log?.warn({ err: error, subject: message.subject, traceId: trace.traceId }, 'request failed');
    const out = headers();
    out.set(HEADERS.traceparent, trace.format());
    out.set(ERROR_HEADERS.code, fault.code === 'internal' ? '500' : '400');
    out.set(ERROR_HEADERS.message, fault.message.replace(/\s+/g, ' '));
    const remedy = fault.remedy === undefined ? {} : { remedy: fault.remedy };
    try {
      message.respond(JSON.stringify({ error: { code: fault.code, message: fault.message, retriable: fault.retriable, ...remedy } }), {
        headers: out,
      });
    } catch (cause) {
      this.options.log?.warn({ err: cause, subject: message.subject }, 'the error reply could not be sent');
    }
  }
}

/** A trace is only begun when somebody asks for it: chance costs more than most requests. */
class MessageContext implements RequestContext {
  #trace: TraceContext | undefined;

  constructor(private readonly message: Msg) {}

  get subject(): string {
    return this.message.subject;
  }

  get trace(): TraceContext {
    return (this.#trace ??= TraceContext.continueOrStart(this.header(HEADERS.traceparent)));
  }

  header(name: string): string | undefined {
    return this.message.headers?.get(name) || undefined;
  }

  /** The answer carries the trace of a request that has one, or of a handler that began one. */
  replyOptions(): PublishOptions {
    if (this.#trace === undefined && this.message.headers === undefined) return {};
    const out = headers();
    out.set(HEADERS.traceparent, this.trace.format());
    return { headers: out };
  }
}

function parse(message: Msg): unknown {
  try {
    return JSON.parse(message.string()) as unknown;
  } catch (cause) {
    throw new CadreError('malformed-json', 'the request is not JSON', { remedy: 'send one JSON value in UTF-8', cause });
  }
}
