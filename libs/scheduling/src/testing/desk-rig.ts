/** A scheduler's desk for specs, with a log, workers and a clock that are moved by hand. */
import {
  RunOptions,
  TaskSpec,
  makeRunId,
  type Commit,
  type Heartbeat,
  type HeldAttempt,
  type RunEvent,
  type TaskSpecInput,
} from '@cadre/contracts';
import { emptyShard, foldBlock, type ShardState } from '@cadre/engine';
import { AgentDirectory } from '../agent-directory.js';
import { OfferDesk } from '../offer-desk.js';
import { OpenWork } from '../open-work.js';

export const RUN = makeRunId(0, '00000000-0000-7000-8000-000000000001');

/** A desk with a hand-driven clock, log and workers. */
export function rig(tasks: Partial<TaskSpecInput>[] = [{}], limits: Partial<RunOptions> = {}) {
  const state: ShardState = emptyShard();
  const work = new OpenWork();
  const directory = new AgentDirectory(0);
  const desk = new OfferDesk(work, directory);
  const seqs = new Map<string, number>();
  const beats = new Map<string, number>();
  const self = {
    now: 1000,
    ...{ work, directory, desk, state },
    log(...events: RunEvent[]): void {
      const seq = (seqs.get(RUN) ?? 0) + 1;
      seqs.set(RUN, seq);
      const commit: Commit = { runId: RUN, seq, at: self.now, cause: 'c', events };
      const block = { v: 1 as const, id: `b${seq}`, shard: 0, owner: 'o', kind: 'commits' as const, at: self.now, commits: [commit] };
      foldBlock(state, block);
      work.apply(block, self.now);
    },
    schedule(id: string, attempt = 1, notBefore?: number): void {
      self.log({ type: 'AttemptScheduled', taskId: id, attempt, notBefore: notBefore ?? self.now });
    },
    started(id: string, workerId = 'w', attempt = 1): void {
      self.log({ type: 'AttemptStarted', taskId: id, attempt, agent: 'generalist', workerId, deadlineAt: self.now + 5000, tools: [] });
    },
    beat(held: string[] = [], change: Partial<Heartbeat> = {}): void {
      const workerId = change.workerId ?? 'w';
      const seq = (beats.get(workerId) ?? 0) + 1;
      beats.set(workerId, seq);
      const beat: Heartbeat = {
        ...{ workerId, epoch: 'e1', seq, at: self.now, startedAt: 1, specialty: 'general', state: 'idle', slots: 2 },
        agents: [{ name: 'generalist', description: 'g', skills: ['general', 'planning'] }],
        held: held.map((taskId): HeldAttempt => ({ runId: RUN, taskId, attempt: 1 })),
        ...change,
      };
      directory.hear(beat, self.now);
    },
    offered: () =>
      desk.offers(self.now).flatMap((entry) => entry.offers.map((offer) => `${offer.taskId}${offer.attempt}>${entry.workerId}`)),
    lost: (): string[] => desk.lost(self.now).map((attempt) => `${attempt.taskId} ${attempt.cause}`),
  };
  const options = RunOptions.parse({ deadlineMs: 60_000, ...limits });
  self.log({ type: 'RunStarted', tenant: 'default', goal: 'g', inputs: [], options, fingerprint: 'f', deadlineAt: 61_000 });
  const specs = tasks.map((task, n) => TaskSpec.parse({ id: `t${n}`, title: 't', instructions: 'i', ...task }));
  self.log({ type: 'TasksAdded', source: 'submitted', tasks: specs });
  for (const spec of specs) self.schedule(spec.id);
  return self;
}
