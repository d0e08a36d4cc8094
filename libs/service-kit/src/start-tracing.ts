import { TraceContext } from '@cadre/messaging';
import type { Tracing } from './tracing.js';

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
