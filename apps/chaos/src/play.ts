/** Sets a stage, sees what an undisturbed run comes to, plays, and clears the stage. */
import type { InputFile, RunRequestInput } from '@cadre/sdk';
import { AnsweringPerson } from './answering.js';
import type { Cast } from './cast.js';
import { essence } from './checks.js';
import { DirectStart } from './direct-start.js';
import { OutsideWorld } from './outside-world.js';
import { seeded } from './random.js';
import { Stage, type StageOptions } from './stage.js';
import { Submitter } from './submitter.js';

/** What the rounds are played with. */
export interface Play {
  stage: Stage;
  world: OutsideWorld;
  person: AnsweringPerson;
  submitter: Submitter;
  direct: DirectStart;
  /** A request whose runs take the victim's part in everything. */
  request: RunRequestInput;
  /** What such a run comes to when nothing happens, without and with a file. */
  expected: string;
  expectedWithFile: string;
  /** Name of the process that does the tasks. */
  worker: string;
  random: () => number;
  /** What of the counts was there before, by name: results tell of their own rounds only. */
  before: Record<string, number>;
}

export const FILE: InputFile = { name: 'note.txt', data: 'kept before the run is started\n' };
const WORLD_LATENCY_MS = 30;

export async function playOn<T>(cast: Cast, options: StageOptions, seed: number, rounds: (play: Play) => Promise<T>): Promise<T> {
  const world = await OutsideWorld.start(WORLD_LATENCY_MS);
  const stage = await Stage.start({ ...options, env: { ...options.env, CHAOS_WORLD_URL: world.url } });
  const direct = await DirectStart.open(stage.live.natsUrl);
  const person = new AnsweringPerson(stage.live.client, world, () => stage.isAwake);
  try {
    const submitter = new Submitter(stage.live.client);
    const expected = await undisturbed(submitter, cast.request, []);
    const expectedWithFile = await undisturbed(submitter, cast.request, [FILE]);
    const { request, worker } = cast;
    return await rounds({
      stage,
      world,
      person,
      submitter,
      direct,
      request,
      worker,
      expected,
      expectedWithFile,
      random: seeded(seed),
      before: {},
    });
  } finally {
    await person.stop();
    await direct.close();
    await stage.stop();
    await world.stop();
  }
}

async function undisturbed(submitter: Submitter, request: RunRequestInput, files: InputFile[]): Promise<string> {
  const { view } = await submitter.ended(await submitter.start(request, files));
  if (view.status !== 'completed') throw new Error(`the undisturbed run came to ${JSON.stringify(view).slice(0, 3000)}`);
  return essence(view);
}
