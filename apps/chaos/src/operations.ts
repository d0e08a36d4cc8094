/** What processes say of themselves. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stage } from './stage.js';

/** An operation route of a process, for example `/metrics`. */
export async function operation(stage: Stage, name: string, path: string): Promise<string> {
  const { url } = JSON.parse(await readFile(join(stage.live.dataDir, 'run', `${name}.json`), 'utf8')) as { url: string };
  const response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(3000) });
  return response.text();
}

/** Value of a figure without labels; 0 when it is not there. */
export async function figure(stage: Stage, name: string, metric: string): Promise<number> {
  const text = await operation(stage, name, '/metrics');
  return Number(new RegExp(`^${metric}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
}

export const attemptsHeld = (stage: Stage, worker: string): Promise<number> => figure(stage, worker, 'cadre_attempts_held');

/** Counted by the owner since it took the shard. */
export const ownerCount = (stage: Stage, outcome: 'rejected' | 'accepted' | 'duplicate'): Promise<number> =>
  figure(stage, 'orchestrator', `cadre_owner_${outcome}`);
