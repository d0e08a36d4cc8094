/**
 * The processes that race: broker, orchestrator, scheduler, model server, workers behind lines that tear. No gateway: runs are given to the
 * owners.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, localSystem, Supervisor, type LocalService } from '@cadre/local-system';
import { TornLink } from './torn-link.js';

export interface RaceSystem {
  natsUrl: string;
  modelUrl: string;
  links: TornLink[];
  dataDir: string;
  stop(): Promise<void>;
}

export interface RaceSetting {
  shards: number;
  workers: number;
  slots: number;
  /** As `MODEL_SIM_FAULTS`. */
  faults: string;
  latencyMs: number;
  /** How long workers wait for an answer of the model server. */
  timeoutMs: number;
}

const CORE: readonly LocalService[] = [
  { name: 'model-sim', stopStage: 1 },
  { name: 'orchestrator', stopStage: 1 },
  { name: 'scheduler', stopStage: 2 },
];

const worker = (number: number): LocalService => ({
  ...{ name: `worker-race-${number}`, app: 'chaos', script: 'dist/budget-race/race-worker.js', specialty: 'race', stopStage: 2 },
});

/** The first answers of a model server take long: to time out on all of them would spend the budget before the race. */
async function warmUp(modelUrl: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ model: 'cadre-sim-1', messages: [{ role: 'user', content: 'Hello' }] });
  for (let asked = 0; asked < 5; asked += 1) {
    // One of them may meet a fault.
    const ask = fetch(`${modelUrl}/v1/chat/completions`, { method: 'POST', headers, body, signal: AbortSignal.timeout(5000) });
    await ask.then((response) => response.text()).catch(() => undefined);
  }
  await fetch(`${modelUrl}/sim/reset`, { method: 'POST' });
}

export async function startRaceSystem(setting: RaceSetting, random: () => number): Promise<RaceSystem> {
  const dataDir = await mkdtemp(join(tmpdir(), 'cadre-budget-race-'));
  const ports = await freePorts();
  const workers = Array.from({ length: setting.workers }, (_, index) => worker(index + 1));
  const links = new Map<string, TornLink>();
  for (const { name } of workers) links.set(name, await TornLink.start(ports['nats-server']!, random));
  const specs = localSystem({
    ...{ dataDir, ports, services: [...CORE, ...workers] },
    env: { ...process.env, ...environment(setting) },
    envOf: (name) => (links.has(name) ? { NATS_URL: links.get(name)!.url } : {}),
  });
  const supervisor = new Supervisor(specs, { longestBackoffMs: 300 });
  const stop = async (): Promise<void> => {
    await supervisor.stop();
    for (const link of links.values()) await link.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  const modelUrl = `http://127.0.0.1:${ports['model-sim']}`;
  await supervisor
    .start()
    .then(() => warmUp(modelUrl))
    .catch(async (error: unknown) => {
      await stop();
      throw error;
    });
  return {
    natsUrl: `nats://127.0.0.1:${ports['nats-server']}`,
    modelUrl,
    links: [...links.values()],
    dataDir,
    stop,
  };
}

function environment({ shards, slots, faults, latencyMs, timeoutMs }: RaceSetting): Record<string, string> {
  return {
    LOG_LEVEL: 'info',
    CADRE_SHARDS: String(shards),
    CADRE_SLOTS: String(slots),
    MODEL_SIM_FAULTS: faults,
    MODEL_SIM_LATENCY_MS: String(latencyMs),
    CADRE_MODEL_TIMEOUT_MS: String(timeoutMs),
  };
}
