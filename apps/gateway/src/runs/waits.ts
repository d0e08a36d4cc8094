/** What tasks wait for that are ready and that nobody can take, as far as the workers' heartbeats tell. */
import { whyNoLabels, type RunView } from '@cadre/contracts';
import type { WorkerRoster } from '../agents/worker-roster.js';

/** @param now milliseconds since 1970 UTC */
export function withWaits(run: RunView, workers: Pick<WorkerRoster, 'list'>, now: number): RunView {
  if (!run.tasks.some(({ status, labels }) => status === 'ready' && labels)) return run;
  const there = workers.list(now).filter(({ lost }) => !lost);
  const places = there.flatMap(({ labels, agents }) => [labels, ...agents.map((agent) => ({ ...labels, ...agent.labels }))]);
  const tasks = run.tasks.map((task) => {
    const waitsFor = task.status === 'ready' ? whyNoLabels(task.labels, places) : undefined;
    return waitsFor === undefined ? task : { ...task, waitsFor };
  });
  return { ...run, tasks };
}
