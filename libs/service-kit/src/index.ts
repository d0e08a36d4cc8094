/** The public names of the service kit. */
export { startService } from './service-start.js';
export type { RunningService, ServiceOptions } from './service-start.js';
export { SERVICE_CONTEXT } from './service-context.js';
export type { ServiceContext } from './service-context.js';
export { BaseConfig, CONFIG_EXIT_CODE, LOG_LEVELS, envFlag, envInt, envUrl, loadConfig } from './base-config.js';
export { crashAt, parseCrashAt, passingPoints } from './crash-points.js';
export type { PointsOfCall } from './crash-points.js';
export { Health } from './health.js';
export type { CheckResult, HealthCheck, Readiness } from './health.js';
export { DURATION_BUCKETS, Metrics } from './metrics.js';
export type { CounterMetric, GaugeMetric, HistogramMetric, Labels } from './metrics.js';
export { childLog } from './log.js';
export type { LogSubject } from './log.js';
export type { SpanAttributes, Tracing } from './tracing.js';
export { traceOf } from './request-trace.js';
export { InputProblem, inputProblem, problemOf } from './problem.js';
export type { IssueLike, ProblemOptions } from './problem.js';
export { sendProblem } from './problem.filter.js';
