/** Who plays in the rounds: the services, the worker with its agents, the request. */
import type { CrashService } from '@cadre/contracts';
import type { LocalService } from '@cadre/local-system';
import type { RunRequestInput } from '@cadre/sdk';
import type { StageOptions } from './stage.js';

export interface WitnessedCalls {
  /** Calls made again though the answer of the first was recorded. */
  callsRepeated: number;
  /** Calls made again because the answer of the first was not: billed twice. */
  unrecordedRepeated: number;
  effectsRepeated: number;
  faults: string[];
}

export interface Cast {
  /** The process that does the tasks, and its kind. */
  worker: string;
  request: RunRequestInput;
  stage(service?: CrashService): StageOptions;
}

const CORE: readonly LocalService[] = [
  { name: 'model-sim', stopStage: 1 },
  { name: 'orchestrator', stopStage: 1 },
  { name: 'monitor', stopStage: 1 },
  { name: 'scheduler', stopStage: 2 },
  { name: 'gateway', stopStage: 2 },
];
export const CHAOS_WORKER: LocalService = {
  name: 'worker-chaos',
  app: 'chaos',
  script: 'dist/worker/main.js',
  specialty: 'chaos',
  stopStage: 2,
};

/** Snapshots and trimming all the time, so that readers meet a log without its beginning. */
const TRIMMING = { SNAPSHOT_BLOCKS: '20', LOG_KEEP_BLOCKS: '40' };

const task = (id: string, agent: string, dependsOn: string[] = []) => {
  return { id, agent, dependsOn, title: id, instructions: `Do what ${id} needs`, retry: { maxAttempts: 20, backoffMs: 100 } };
};

/** A talk and two strikes, of which one waits for the talk: four paid calls, and each kind of effect twice. */
export const CHAOS_REQUEST: RunRequestInput = {
  goal: 'Leave traces, each once',
  plan: { tasks: [task('talk', 'talker'), task('strike-1', 'striker'), task('strike-2', 'striker', ['talk'])] },
  options: { summarize: false },
};

export function chaosCast(): Cast {
  return {
    worker: CHAOS_WORKER.name,
    request: CHAOS_REQUEST,
    stage: () => ({ services: [...CORE, CHAOS_WORKER], env: { ...TRIMMING, MODEL_SIM_LATENCY_MS: '40' } }),
  };
}
