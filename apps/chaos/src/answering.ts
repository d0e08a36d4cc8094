/**
 * The person who is asked whether an effect has happened: looks at the outside world and says what is so. As the question says, "repeat" is
 * answered only once the worker that was lost on the call cannot make it any more.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CadreClient } from '@cadre/sdk';
import { OutsideWorld } from './outside-world.js';

const LOOK_MS = 250;

export class AnsweringPerson {
  answered = 0;
  #going = true;
  readonly #looking: Promise<void>;

  constructor(
    private readonly client: CadreClient,
    private readonly world: OutsideWorld,
    /** No worker is there that only sleeps. */
    private readonly allAwake: () => boolean,
  ) {
    this.#looking = this.#look();
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#looking;
  }

  async #look(): Promise<void> {
    for (; this.#going; await sleep(LOOK_MS)) {
      // The gateway or the monitor may be away: the question stays.
      await this.#answerAll().catch(() => undefined);
    }
  }

  async #answerAll(): Promise<void> {
    for (const { runId, questionId, kind, key = '', tool = '', worker } of await this.client.questions()) {
      if (kind !== 'effect') continue;
      const isFinal = worker === undefined || this.allAwake();
      const happened = this.world.calls.has(key);
      if (!happened && !isFinal) continue;
      const answer = happened ? { choice: 'done' as const, result: OutsideWorld.answerOf(tool) } : { choice: 'repeat' as const };
      await this.client.answerQuestion(runId, questionId, { ...answer, by: 'chaos' });
      this.answered += 1;
    }
  }
}
