/** Tells people of attempts: logs and metrics. The work of code is told at the level `debug`, as there may be thousands a second. */
import type { WorkReports } from '@cadre/agents';
import type { ServiceContext } from '@cadre/service-kit';
import type { WorkMeter } from './work-meter.js';

/** @param isCode whether code does the work of the agent */
export function workReports(log: ServiceContext['log'], meter: WorkMeter, isCode: (agent: string) => boolean): WorkReports {
  const levelOf = (agent: string) => (isCode(agent) ? 'debug' : 'info');
  return {
    begun: (attempt, agent, { title, queuedMs }, traceparent) => {
      meter.begun(agent, queuedMs);
      const level = levelOf(agent);
      if (!log.isLevelEnabled(level)) return;
      log[level]({ ...attempt, agent, title, traceId: traceparent?.split('-')[1] }, 'the attempt has begun');
    },
    ended: (attempt, agent, ending, tookMs, error) => {
      meter.ended(agent, ending, tookMs);
      const level = error ? 'info' : levelOf(agent);
      // An attempt that another worker holds was never begun here.
      if (ending === 'refused' || !log.isLevelEnabled(level)) return;
      log[level]({ ...attempt, agent, ending, tookMs, ...(error && { code: error.code, reason: error.message }) }, 'the attempt has ended');
    },
    made: (call) => meter.made(call),
    recorded: ({ kind }) => meter.recorded(kind),
    looked: (agent, look) => meter.looked(agent, look),
    trouble: (attempt, what, error) => log.error({ ...attempt, err: error }, what),
  };
}
