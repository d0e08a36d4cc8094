/**
 * The disk under the broker fills up while runs are started, and has room again later. Needs a file system of its own that is small, so it
 * is only played where one can be mounted.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { playRounds, type AccidentResult } from './accident.js';
import type { Cast } from './cast.js';
import { unlike } from './crash-rounds.js';
import { playOn, type Play } from './play.js';
import { RequestLoad } from './request-load.js';

const run = promisify(execFile);
const SIZE_MIB = 400;
const FULL_MS = 8000;

/** @returns why it cannot be played here, as text */
export async function fullDisk(cast: Cast, rounds: number, seed: number): Promise<AccidentResult | string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'cadre-full-disk-'));
  const disk = join(dataDir, 'nats');
  await mkdir(disk);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m`, 'tmpfs', disk]);
  } catch (error) {
    await rm(dataDir, { recursive: true });
    return `skipped: no small file system can be mounted here (it needs root): ${(error as Error).message.trim().split('\n').at(-1)}`;
  }
  const kind = { name: 'full disk under the broker', measured: 'a run is acknowledged again, from when there is room', limitMs: 15_000 };
  try {
    return await playOn(cast, { ...cast.stage(), dataDir }, seed, (play) =>
      playRounds(kind, rounds, play, () => fullRound(play, join(disk, 'filler'))),
    );
  } finally {
    await run('umount', ['-l', disk]).catch(() => undefined);
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function fullRound(play: Play, filler: string) {
  const { stage, submitter, request } = play;
  const load = new RequestLoad(stage.live.system.url, request);
  load.start();
  await sleep(1000);
  await fill(filler);
  await sleep(FULL_MS);
  await rm(filler);
  const roomAt = Date.now();
  const next = await submitter.start(request);
  const recoveryMs = Date.now() - roomAt;
  const started = await load.stop();
  submitter.acknowledged.push(...started.map((runId) => ({ runId })));
  const runs = [...started, next];
  const ended = await Promise.all(runs.map((runId) => submitter.ended(runId)));
  const faults = ended.flatMap((one) => unlike(one, play.expected));
  return { runs, recoveryMs, faults: [...faults, ...unclear(load.faults)] };
}

/** A refusal must say that the system, and not the request, is at fault, and that it may be sent again. */
function unclear(refusals: readonly string[]): string[] {
  return refusals.filter((text) => !/ was answered 503: .*"(retriable|detail|title)"/s.test(text));
}

/** Writes until there is no room for a single byte more. */
async function fill(path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 4)) {
      const chunk = Buffer.alloc(size, 1);
      for (;;) {
        const written = await file.write(chunk).catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOSPC') return undefined;
          throw error;
        });
        if (written === undefined) break;
      }
    }
  } finally {
    await file.close();
  }
}
