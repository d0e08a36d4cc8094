/** Runs one seed: bad weather for so many steps, then healing, after which everything must come to an end. */
import { drawOptions, type WorldOptions } from './options.js';
import type { Block } from '@cadre/contracts';
import type { RunState } from '@cadre/engine';
import { DEFINITIONS, hasLabels } from './actors/worker.js';
import { PLANTS } from './planted/index.js';
import type { Plant } from './planted/plant.js';
import { Liveness } from './watch/liveness.js';
import { DAWN } from './timeline.js';
import type { Finding, Watch } from './watch/watch.js';
import { World } from './world.js';

export interface SeedResult {
  seed: number;
  /** Events taken, healing included. */
  steps: number;
  virtualMs: number;
  hash: string;
  /** Runs that ended. */
  runs: number;
  blocks: number;
  finding?: Finding;
  lines?: string[];
}

export interface SeedSettings {
  readable?: boolean;
  /** A planted fault, or the name of one. */
  plant?: string | Plant;
  /** Sees each block as it is stored. */
  onBlock?: (seq: number, block: Block) => void;
}

/** Once the weather is clear everything is over within this time: longest deadline, grace, failover. */
const HEAL_MS = 90_000;
const LOOK_EVERY_MS = 500;

export async function runSeed(seed: number, steps: number, settings: SeedSettings = {}): Promise<SeedResult> {
  return runWorld(drawOptions(seed, steps), settings);
}

export async function runWorld(options: WorldOptions, { readable = false, plant = {}, onBlock }: SeedSettings = {}): Promise<SeedResult> {
  const world = new World(options, readable, typeof plant === 'string' ? plantOf(plant) : plant);
  const { timeline, watch, broker } = world;
  watching = watch;
  if (onBlock) watch.onBlock = onBlock;
  await live(world, () => timeline.steps < options.steps);
  if (!watch.finding) await heal(world);
  if (!watch.finding) watch.finish(timeline.now);
  return {
    seed: options.seed,
    steps: timeline.steps,
    virtualMs: Math.round(timeline.now - DAWN),
    hash: world.trace.hash,
    runs: watch.started.size,
    blocks: broker.logs.reduce((sum, log) => sum + log.lastSeq, 0),
    ...(watch.finding && { finding: watch.finding }),
    ...(world.trace.lines && { lines: world.trace.lines }),
  };
}

/** A promise that nobody looks after ends a process in production. */
let watching: Watch | undefined;
process.on('unhandledRejection', (cause) =>
  watching?.fail('unhandled-rejection', cause instanceof Error ? `${cause.stack}` : String(cause)),
);

/** Takes events while a condition holds. Between two events all promises that can settle have settled. */
function live(world: World, goOn: () => boolean): Promise<void> {
  const { timeline, watch } = world;
  return new Promise((resolve) => {
    const next = (): void => {
      try {
        if (watch.finding || !goOn() || !timeline.step()) return resolve();
      } catch (error) {
        // In production it ends the process.
        watch.fail('exception', (error as Error).stack ?? String(error));
      }
      setImmediate(next);
    };
    next();
  });
}

async function heal(world: World): Promise<void> {
  const { timeline, watch, client, disasters } = world;
  client.close();
  disasters.heal();
  const until = timeline.now + HEAL_MS;
  const liveness = new Liveness(timeline.now, (clause, message) => watch.fail(clause, message));
  const isOver = (): boolean => watch.openRuns === 0 && client.unanswered === 0 && world.held().length === 0;
  const look = (): void => {
    liveness.look({ now: timeline.now, runs: watch.openStates(), held: world.held(), freeAgents: world.freeAgents(), isCapable });
    timeline.after(LOOK_EVERY_MS, look);
  };
  look();
  await live(world, () => !isOver() && timeline.now < until);
  if (watch.finding || isOver()) return;
  const open = [...watch.openStates()].map((run) => run.runId.slice(-4));
  watch.fail('not-healed', `open: ${open.join(' ')}; held: ${world.held().length}; unanswered: ${client.unanswered}`);
}

function isCapable(agent: string, { spec, wantedAgent = spec.agent }: RunState['tasks'][string]): boolean {
  const definition = DEFINITIONS.find(({ name }) => name === agent);
  if (!hasLabels(agent, spec)) return false;
  if (wantedAgent !== undefined) return wantedAgent === agent;
  return spec.skills.every((skill) => definition?.skills.includes(skill));
}

function plantOf(name: string): Plant {
  const plant = PLANTS[name];
  if (!plant) throw new Error(`there is no planted fault of that name: ${name}`);
  return plant;
}
