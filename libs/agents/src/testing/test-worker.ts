/** A worker in memory that can die at any of its steps. */
import type { AgentDefinition, Offer } from '@cadre/contracts';
import type { Blobs, Clock } from '@cadre/engine';
import { RUN_ID } from '@cadre/engine/testing';
import { AttemptWork } from '../attempt-work.js';
import type { WorkEnding, WorkReports } from '../attempt-work.js';
import type { CacheLook, CacheMeans } from '../result-reuse.js';
import type { Performer } from '../performer.js';
import type { CallRequest, MadeCall } from '../settlement.js';
import type { EngineOwner } from './engine-owner.js';
import { plainDigest } from './plain-digest.js';

export interface TestWorkerParts {
  id: string;
  clock: Clock;
  owner: EngineOwner;
  blobs: Blobs;
  agent: AgentDefinition;
  performer: Performer;
  /** It dies at this of its steps, from 1: commands sent, commands decided, named points. */
  diesAt?: number;
  digest?: (text: string) => string;
  /** How long a command is on its way, and its answer again. */
  latencyMs?: number;
  cache?: CacheMeans;
}

/** The end of the process: nothing it does later on has an effect. */
class Death extends Error {}

export class TestWorker {
  readonly made: MadeCall[] = [];
  readonly recorded: CallRequest[] = [];
  readonly looks: CacheLook[] = [];
  readonly trouble: string[] = [];
  steps = 0;
  dead = false;
  private ids = 0;

  constructor(private readonly parts: TestWorkerParts) {}

  /** Takes the open attempt of a task. @param said what its offer says beside that */
  take(taskId: string, said: Partial<Offer> = {}): { work: AttemptWork; ending: Promise<WorkEnding> } {
    const { id, clock, blobs, agent, performer, owner } = this.parts;
    const { attempt } = owner.rig.task(taskId);
    const offer: Offer = { runId: RUN_ID, taskId, attempt, agent: agent.name, turn: { tenant: 'default', atWork: 1, urgency: 2 }, ...said };
    const work = new AttemptWork({ offer }, agent, {
      ...{ workerId: id, clock, blobs },
      chance: { random: () => 0.5, newId: () => `${id}-${(this.ids += 1)}` },
      sender: owner.sender(async () => {
        if (!this.survives()) await new Promise(() => undefined);
        const { latencyMs } = this.parts;
        if (latencyMs !== undefined) await new Promise<void>((resolve) => void clock.after(latencyMs, resolve));
      }),
      digest: this.parts.digest ?? plainDigest,
      performerOf: () => performer,
      ...(this.parts.cache && { cache: this.parts.cache }),
      reports: this.reports(),
      at: () => {
        if (!this.survives()) throw new Death();
      },
    });
    return { work, ending: work.run() };
  }

  private survives(): boolean {
    this.steps += 1;
    this.dead ||= this.steps === this.parts.diesAt;
    return !this.dead;
  }

  private reports(): WorkReports {
    return {
      ended: () => undefined,
      made: (call) => void this.made.push(call),
      recorded: (call) => void this.recorded.push(call),
      looked: (_, look) => void this.looks.push(look),
      trouble: (_, what, error) => void this.trouble.push(`${what}: ${String(error)}`),
    };
  }
}
