/** Many seeds on several threads. What is done is noted in a file, so that a soak that was broken off goes on. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { SeedResult } from '../run-seed.js';

export interface SoakWish {
  from: number;
  seeds: number;
  steps: number;
  jobs: number;
  /** Where the summary is kept. */
  out?: string | undefined;
}

export interface SoakSummary {
  from: number;
  seeds: number;
  steps: number;
  jobs: number;
  /** First seeds of the chunks that are done. */
  done: number[];
  seedsDone: number;
  stepsTaken: number;
  virtualSeconds: number;
  runs: number;
  blocks: number;
  /** Of all parts of it. */
  wallSeconds: number;
  findings: { seed: number; clause: string; message: string }[];
  /** Of all seeds together: equal for equal code. */
  hash: string;
  commit?: string;
  date: string;
}

export interface Chunk {
  first: number;
  count: number;
  steps: number;
}

const CHUNK_SEEDS = 50;
/**
 * Then a new one goes on: processes that die in a world leave signals of `AbortSignal.any` behind that are never aborted, and Node keeps
 * each of them, with the world, for as long as the thread lives.
 */
const CHUNKS_OF_THREAD = 20;
const SHOW_EVERY_MS = 10_000;

/** @param say shows progress and the summary line */
export async function soak(wish: SoakWish, say: (text: string) => void): Promise<SoakSummary> {
  const summary = begin(wish);
  const done = new Set(summary.done);
  const chunks: Chunk[] = [];
  for (let first = wish.from; first < wish.from + wish.seeds; first += CHUNK_SEEDS) {
    if (!done.has(first)) chunks.push({ first, count: Math.min(CHUNK_SEEDS, wish.from + wish.seeds - first), steps: wish.steps });
  }
  const before = summary.wallSeconds;
  const began = performance.now();
  let shownAt = began;
  const note = (chunk: Chunk, results: SeedResult[]): void => {
    add(summary, chunk, results);
    summary.wallSeconds = Math.round(before + (performance.now() - began) / 1000);
    keep(summary, wish.out);
    for (const { seed, clause, message } of summary.findings.slice(-results.length)) {
      if (seed >= chunk.first && seed < chunk.first + chunk.count) say(`seed ${seed}: ${clause}: ${message}`);
    }
    if (performance.now() - shownAt < SHOW_EVERY_MS) return;
    shownAt = performance.now();
    say(lineOf(summary));
  };
  await Promise.all(Array.from({ length: wish.jobs }, () => work(chunks, note)));
  summary.date = new Date().toISOString();
  keep(summary, wish.out);
  say(lineOf(summary));
  return summary;
}

/** Works through the chunks, one thread at a time. */
async function work(chunks: Chunk[], note: (chunk: Chunk, results: SeedResult[]) => void): Promise<void> {
  while (chunks.length > 0) await workInThread(chunks, note);
}

function workInThread(chunks: Chunk[], note: (chunk: Chunk, results: SeedResult[]) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL('./soak-thread.js', import.meta.url));
    let chunk: Chunk | undefined;
    let left = CHUNKS_OF_THREAD;
    const next = (): void => {
      chunk = left > 0 ? chunks.shift() : undefined;
      left -= 1;
      if (chunk) thread.postMessage(chunk);
      else void thread.terminate().then(() => resolve(), reject);
    };
    thread.on('message', (results: SeedResult[]) => {
      if (chunk) note(chunk, results);
      next();
    });
    thread.on('error', reject);
    next();
  });
}

function begin({ from, seeds, steps, jobs, out }: SoakWish): SoakSummary {
  if (out !== undefined && existsSync(out)) {
    const known = JSON.parse(readFileSync(out, 'utf8')) as SoakSummary;
    if (known.from === from && known.steps === steps) return { ...known, seeds, jobs };
    throw new Error(`${out} holds another soak; name another file`);
  }
  const nothing = { seedsDone: 0, stepsTaken: 0, virtualSeconds: 0, runs: 0, blocks: 0, wallSeconds: 0 };
  const commit = commitOf();
  return {
    from,
    seeds,
    steps,
    jobs,
    done: [],
    ...nothing,
    findings: [],
    hash: '0',
    ...(commit && { commit }),
    date: new Date().toISOString(),
  };
}

function add(summary: SoakSummary, chunk: Chunk, results: SeedResult[]): void {
  summary.done.push(chunk.first);
  for (const { seed, steps, virtualMs, runs, blocks, hash, finding } of results) {
    summary.seedsDone += 1;
    summary.stepsTaken += steps;
    summary.virtualSeconds += virtualMs / 1000;
    summary.runs += runs;
    summary.blocks += blocks;
    // A sum does not depend on the order in which threads are done.
    summary.hash = ((parseInt(summary.hash, 16) + parseInt(hash, 16) * ((seed % 97) + 1)) % 0x100000000).toString(16);
    if (finding) summary.findings.push({ seed, ...finding });
  }
}

function keep(summary: SoakSummary, out: string | undefined): void {
  if (out === undefined) return;
  writeFileSync(`${out}.new`, `${JSON.stringify({ ...summary, virtualSeconds: Math.round(summary.virtualSeconds) }, undefined, 1)}\n`);
  renameSync(`${out}.new`, out);
}

function lineOf({ seedsDone, seeds, stepsTaken, wallSeconds, virtualSeconds, runs, blocks, findings, hash }: SoakSummary): string {
  const rate = Math.round(stepsTaken / Math.max(1, wallSeconds));
  const world = `${runs} runs, ${blocks} blocks, ${Math.round(virtualSeconds)} virtual s`;
  return `${seedsDone} of ${seeds} seeds, ${stepsTaken} steps in ${wallSeconds} s (${rate}/s), ${world}, ${findings.length} findings, hash ${hash}`;
}

function commitOf(): string | undefined {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
