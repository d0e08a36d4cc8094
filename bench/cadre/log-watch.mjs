/** Starts runs and follows the log: when each attempt was scheduled, started and ended, by the owner's clock. */
import { randomUUID } from 'node:crypto';
import { makeRunId, Plan, RunOptions, STREAMS, unpackBlock } from '@cadre/contracts';
import { connectNats, NatsCommandSender } from '@cadre/messaging';
import { jetstream } from '@nats-io/jetstream';
import { submitRun } from './submit-run.mjs';

const ENDS = new Set(['RunCompleted', 'RunFailed', 'RunCancelled']);

export class LogWatch {
  /** In the order of their starts: `{ runId, taskId, at }`. */
  starts = [];
  #tasks = new Map();
  #ends = new Map();
  #waiting = new Map();

  static async open(url) {
    const watch = new LogWatch();
    watch.nats = await connectNats({ url, name: 'bench-watch' });
    watch.sender = new NatsCommandSender(watch.nats);
    const consumer = await jetstream(watch.nats).consumers.get(STREAMS.log(0), { deliver_policy: 'new' });
    await consumer.consume({ max_messages: 1000, callback: (message) => watch.#take(unpackBlock(message.json())) });
    return watch;
  }

  close() {
    return this.nats.close();
  }

  /**
   * @param spreadMs the sleeps are up to so much shorter and longer @returns the id of a run of so many tasks that each sleep for so long
   */
  async start({ tenant, tasks, sleepMs, spreadMs = 0, ...options }) {
    const runId = makeRunId(0, randomUUID());
    const plan = Plan.parse({ tasks: Array.from({ length: tasks }, (_, i) => taskOf(i, sleepMs + spread(i, spreadMs))) });
    const settings = RunOptions.parse({ summarize: false, ...options });
    await submitRun(this.sender, { runId, tenant, goal: 'Bench', options: settings, tasks: plan.tasks });
    return runId;
  }

  /** Resolves when the run has ended. Rejects when it did not complete. */
  ended(runId) {
    return new Promise((resolve, reject) => {
      const settle = (type) => (type === 'RunCompleted' ? resolve() : reject(new Error(`a run ended as ${type}`)));
      if (this.#ends.has(runId)) settle(this.#ends.get(runId));
      else this.#waiting.set(runId, settle);
    });
  }

  /** `{ scheduledAt, startedAt, endedAt }` of each task of the run. */
  times(runId) {
    return [...this.#tasks.get(runId).values()];
  }

  /** Of each task of the run: how many attempts of other runs started after it was known, and before it. */
  overtakenBy(runId) {
    const tasks = this.#tasks.get(runId);
    return this.starts.flatMap((start, index) => {
      if (start.runId !== runId) return [];
      const since = tasks.get(start.taskId).scheduledAt;
      return [this.starts.slice(0, index).filter((other) => other.runId !== runId && other.at > since).length];
    });
  }

  #take({ commits }) {
    for (const { runId, at, events } of commits) for (const event of events) this.#takeEvent(runId, at, event);
  }

  #takeEvent(runId, at, event) {
    const tasks = this.#tasks.get(runId) ?? new Map();
    this.#tasks.set(runId, tasks);
    if (event.type === 'AttemptScheduled') tasks.set(event.taskId, { scheduledAt: at });
    if (event.type === 'AttemptStarted') {
      tasks.get(event.taskId).startedAt = at;
      this.starts.push({ runId, taskId: event.taskId, at });
    }
    if (event.type === 'TaskCompleted') tasks.get(event.taskId).endedAt = at;
    if (!ENDS.has(event.type)) return;
    this.#ends.set(runId, event.type);
    this.#waiting.get(runId)?.(event.type);
  }
}

/** Even, and the same in each run. */
function spread(i, mostMs) {
  return Math.round((((i * 37) % 101) / 50 - 1) * mostMs);
}

function taskOf(i, sleepMs) {
  return { id: `t${i}`, title: 'Bench', instructions: 'Return the input.', agent: 'echo', input: { n: 1, sleepMs } };
}
