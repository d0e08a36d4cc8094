/** Spans, exported when a collector is configured; the trace context is passed on in either case. */
import { TraceContext } from '@cadre/messaging';

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

/** Passes contexts on and exports nothing. */
const SILENT: Tracing = {
  span: (_name, parent, _attributes, work) => work(TraceContext.continueOrStart(parent?.toString())),
  stop: () => Promise.resolve(),
};

/** @param endpoint of an OTLP collector; its code is loaded only when it is given, as it is slow to load */
export async function startTracing(service: string, instanceId: string, endpoint: string | undefined): Promise<Tracing> {
  if (endpoint === undefined) return SILENT;
  const { startOtlpTracing } = await import('./otlp-tracing.js');
  return startOtlpTracing(service, instanceId);
}
