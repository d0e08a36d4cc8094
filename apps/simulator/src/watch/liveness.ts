/** Once the weather has cleared up nothing may be left lying: ready work is offered, lost work is given up, deadlines are kept. */
import type { HeldAttempt } from '@cadre/contracts';
import type { RunState } from '@cadre/engine';

export interface LivenessView {
  now: number;
  runs: Iterable<RunState>;
  /** Attempts that living workers hold. */
  held: HeldAttempt[];
  /** Agents that could take work now and whose breaker is closed. */
  freeAgents: ReadonlySet<string>;
  /** Whether an agent can do the task. */
  isCapable(agent: string, task: RunState['tasks'][string]): boolean;
}

/** How long failover may take before the times below begin to count. */
const FAILOVER_MS = 6000;
const OFFER_MS = 10_000;
const GIVE_UP_MS = 10_000;
const DEADLINE_MS = 8000;
/** Times of different processes differ. */
const SKEW_MS = 600;

type Complain = (clause: string, message: string) => void;

export class Liveness {
  readonly #since = new Map<string, number>();
  readonly #from: number;

  constructor(
    healedAt: number,
    private readonly complain: Complain,
  ) {
    this.#from = healedAt + FAILOVER_MS;
  }

  /** To be called a few times each second. */
  look(view: LivenessView): void {
    if (view.now < this.#from) return;
    const seen = new Set<string>();
    const held = new Set(view.held.map(keyOf));
    for (const run of view.runs) {
      this.#lookAtDeadline(run, view.now);
      const full = isFull(run);
      for (const [taskId, task] of Object.entries(run.tasks)) {
        const key = keyOf({ runId: run.runId, taskId, attempt: task.attempt });
        const ready = task.status === 'ready' && task.notBefore + SKEW_MS <= view.now && !held.has(key);
        if (ready && !full && [...view.freeAgents].some((agent) => view.isCapable(agent, task))) {
          this.#wait(`ready ${key}`, seen, view.now, OFFER_MS, '9 unoffered', `${key} is ready, and a capable slot is free`);
        }
        if (task.status === 'running' && !held.has(key)) {
          this.#wait(`running ${key}`, seen, view.now, GIVE_UP_MS, '9 orphaned', `${key} is running, but no worker has it`);
        }
      }
    }
    for (const key of this.#since.keys()) if (!seen.has(key)) this.#since.delete(key);
  }

  #lookAtDeadline({ runId, deadlineAt }: RunState, now: number): void {
    const late = now - Math.max(deadlineAt + SKEW_MS, this.#from);
    if (late > DEADLINE_MS) this.complain('3 past-deadline', `${runId} is open ${Math.round(now - deadlineAt)} ms after its time`);
  }

  #wait(key: string, seen: Set<string>, now: number, mostMs: number, clause: string, what: string): void {
    seen.add(key);
    const since = this.#since.get(key) ?? now;
    this.#since.set(key, since);
    if (now - since > mostMs) this.complain(clause, `for ${mostMs} ms: ${what}`);
  }
}

/** A run that says how much of it may be at work waits for itself. */
function isFull({ options: { maxParallel }, tasks }: RunState): boolean {
  return maxParallel !== undefined && Object.values(tasks).filter(({ status }) => status === 'running').length >= maxParallel;
}

function keyOf({ runId, taskId, attempt }: HeldAttempt): string {
  return `${runId}/${taskId}/${attempt}`;
}
