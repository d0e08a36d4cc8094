/** Logs: one JSON object a line, or lines for people with LOG_PRETTY=1. */
import { pino, stdSerializers, type Logger } from 'pino';
import type { BaseConfig } from './base-config.js';

/** What a line is about. */
export interface LogSubject {
  runId?: string;
  taskId?: string;
  attempt?: number;
  traceId?: string;
}

export async function createLog(service: string, instanceId: string, config: BaseConfig): Promise<Logger> {
  const options = {
    level: config.LOG_LEVEL,
    base: { service, instance: instanceId },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: stdSerializers.errWithCause },
    redact: { paths: ['req.headers.authorization', 'req.headers.cookie', '*.apiKey', '*.password', '*.token'], censor: '[hidden]' },
  };
  if (!config.LOG_PRETTY) return pino(options);
  const { default: pretty } = await import('pino-pretty');
  return pino(options, pretty({ sync: true, singleLine: true, ignore: 'pid,hostname,instance', translateTime: 'HH:MM:ss.l' }));
}

/** A log whose lines carry the run, task and attempt. */
export function childLog(context: { log: Logger }, subject: LogSubject): Logger {
  return context.log.child(subject);
}
