/** Saves a run's artifacts as files. Names come from agents: nothing is written outside the folder. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ArtifactRef, CadreError, type RunView, WorkspacePath } from '@cadre/contracts';
import type { CadreClient } from '@cadre/sdk';

/**
 * Downloads all, four at a time, each checked against its digest.
 * @returns the paths written
 */
export async function saveArtifacts(client: CadreClient, runId: string, artifacts: ArtifactRef[], folder: string): Promise<string[]> {
  const waiting = [...artifacts];
  const paths: string[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) paths.push(await save(client, runId, next, folder));
  };
  await Promise.all([1, 2, 3, 4].map(work));
  return paths.sort();
}

const ANSWER_FILE = 'answer.md';

/**
 * Writes the run's answer as `answer.md` beside its artifacts.
 * @returns what was written; undefined when the run has no answer, or an artifact of that name is there
 */
export async function saveAnswer(client: CadreClient, run: RunView, folder: string): Promise<{ name: string; size: number } | undefined> {
  if (run.answer === undefined || run.artifacts.some(({ name }) => name === ANSWER_FILE)) return undefined;
  const text = await client.answer(run.runId);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, ANSWER_FILE), text);
  return { name: ANSWER_FILE, size: Buffer.byteLength(text) };
}

async function save(client: CadreClient, runId: string, artifact: ArtifactRef, folder: string): Promise<string> {
  const path = resolve(folder, artifact.name);
  if (!WorkspacePath.safeParse(artifact.name).success || !path.startsWith(resolve(folder) + sep)) {
    throw new CadreError('artifact-refused', `The artifact ${JSON.stringify(artifact.name)} would be written outside ${folder}.`);
  }
  await mkdir(dirname(path), { recursive: true });
  const partial = join(dirname(path), `.${process.pid}.${artifact.sha256.slice(0, 12)}.partial`);
  const { body } = await client.downloadArtifact(runId, artifact.name);
  const digest = createHash('sha256');
  const watch = new Transform({
    transform: (chunk: Buffer, _, done) => {
      digest.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), watch, createWriteStream(partial));
    if (digest.digest('hex') !== artifact.sha256) {
      throw new CadreError('artifact-damaged', `The artifact ${artifact.name} did not arrive as it was stored.`, {
        retriable: true,
        remedy: 'Try again.',
      });
    }
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
  return path;
}
