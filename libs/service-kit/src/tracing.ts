/** Spans, exported when a collector is configured; the trace context is passed on in either case. */
import type { TraceContext } from '@cadre/messaging';

export type SpanAttributes = Record<string, string | number | boolean>;

export interface Tracing {
  /**
   * Runs `work` within a span. `parent`: a trace context or a `traceparent` text; without one a new trace starts.
   * `work` gets the span's own context to pass on. A rejection marks the span as failed and is passed through.
   */
  span<T>(
    name: string,
    parent: TraceContext | string | undefined,
    attributes: SpanAttributes,
    work: (trace: TraceContext) => Promise<T>,
  ): Promise<T>;
  stop(): Promise<void>;
}
