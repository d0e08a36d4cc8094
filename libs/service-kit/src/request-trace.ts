/** The trace context of an HTTP request: the caller's, continued, or a new one. */
import type { IncomingMessage } from 'node:http';
import { TraceContext } from '@cadre/messaging';

const traces = new WeakMap<IncomingMessage, TraceContext>();

/** The same context each time it is asked for one request. Takes a Fastify request or a raw one. */
export function traceOf(request: IncomingMessage | { raw: IncomingMessage }): TraceContext {
  const raw = 'raw' in request ? request.raw : request;
  const known = traces.get(raw);
  if (known) return known;
  const given = raw.headers['traceparent'];
  const trace = TraceContext.continueOrStart(Array.isArray(given) ? given[0] : given);
  traces.set(raw, trace);
  return trace;
}
