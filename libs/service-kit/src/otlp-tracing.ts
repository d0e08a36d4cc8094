/** Spans by the OpenTelemetry SDK, which reads its OTEL_* variables by itself. */
import { TraceContext } from '@cadre/messaging';
import { ROOT_CONTEXT, SpanStatusCode, TraceFlags, trace, type Context, type Span } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { Tracing } from './tracing.js';

export function startOtlpTracing(service: string, instanceId: string): Tracing {
  process.env['OTEL_RESOURCE_ATTRIBUTES'] ??= `service.namespace=cadre,service.instance.id=${instanceId}`;
  // Only traces: metrics are scraped and logs go to stdout.
  process.env['OTEL_METRICS_EXPORTER'] ??= 'none';
  process.env['OTEL_LOGS_EXPORTER'] ??= 'none';
  const sdk = new NodeSDK({ serviceName: service, instrumentations: [] });
  sdk.start();
  const tracer = trace.getTracer('cadre');
  return {
    span: (name, parent, attributes, work) =>
      tracer.startActiveSpan(name, { attributes }, parentContext(parent?.toString()), async (span) => {
        try {
          return await work(contextOf(span));
        } catch (error) {
          span.recordException(error as Error);
          span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
          throw error;
        } finally {
          span.end();
        }
      }),
    stop: () => sdk.shutdown().catch(() => undefined),
  };
}

function parentContext(traceparent: string | undefined): Context {
  const parent = TraceContext.parse(traceparent);
  if (!parent) return ROOT_CONTEXT;
  const traceFlags = parent.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId: parent.traceId, spanId: parent.spanId, traceFlags, isRemote: true });
}

function contextOf(span: Span): TraceContext {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return TraceContext.parse(`00-${traceId}-${spanId}-0${traceFlags & 1}`) ?? TraceContext.start();
}
