/**
 * `run_tests`: runs test files with Node's test runner, each in a confined process. The code under test is not trusted: Node's
 * permission model leaves it the workspace to read and one folder to write to, the guard takes away network and signals, namespaces
 * do so again where the system has them, and the confinement bounds time, memory and output.
 *
 * Each file is run as a program of its own, not through `node --test`: with isolation the runner would need the right to start
 * processes, and without it an error outside of any test goes unnoticed.
 */
import { copyFileSync, existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ToolResult } from '@cadre/contracts';
import { confinedProcess } from '@cadre/worker-kit';
import type { ConfinedResult, Workspace } from '@cadre/worker-kit';
import { namespaceFence } from './fences.js';
import { fileRun, totalOf } from './file-run.js';
import type { FileRun } from './file-run.js';

export interface TestLimits {
  /** For all files together. */
  timeMs: number;
  memoryMb: number;
  /** Of what the tests of one file print. Less than a socket's buffer, so that a loop that only prints is found by its output. */
  outputBytes: number;
  /** `none`: do not use namespaces even where the system has them. */
  namespaces?: 'none';
}

export const TEST_LIMITS: TestLimits = { timeMs: 30_000, memoryMb: 512, outputBytes: 100 * 1024 };

/** A single test that takes longer fails, and the others go on. */
const ONE_TEST_MS = 10_000;

/** @param files workspace paths of files that exist. Errors: `aborted`, `process-not-started`. */
export async function runTests(
  workspace: Workspace,
  files: string[],
  signal: AbortSignal,
  limits = TEST_LIMITS,
): Promise<ToolResult<'run_tests'>> {
  const started = performance.now();
  const runs: FileRun[] = [];
  for (const file of files) {
    const timeMs = limits.timeMs - (performance.now() - started);
    if (timeMs <= 0)
      runs.push({ file, passed: 0, failed: 1, skipped: 0, failures: [{ name: file, message: NO_TIME }], output: '', stopped: 'time' });
    else runs.push(await runFile(workspace, file, signal, { ...limits, timeMs }));
  }
  return totalOf(runs);
}

const NO_TIME = 'Not run: the files before it took all the time.';

async function runFile(workspace: Workspace, file: string, signal: AbortSignal, limits: TestLimits): Promise<FileRun> {
  const folder = await mkdtemp(join(workspace.scratch, 'tests-'));
  try {
    const result = await runConfined(workspace, folder, file, signal, limits);
    return fileRun(file, result, join(folder, 'tmp', REPORT), workspace.root);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const REPORT = '.report.ndjson';

async function runConfined(
  workspace: Workspace,
  folder: string,
  file: string,
  signal: AbortSignal,
  limits: TestLimits,
): Promise<ConfinedResult> {
  const temporary = join(folder, 'tmp');
  await mkdir(temporary);
  const fence = limits.namespaces === 'none' ? [] : await namespaceFence();
  const [command, ...args] = [
    ...fence,
    process.execPath,
    '--permission',
    `--allow-fs-read=${workspace.root}`,
    `--allow-fs-read=${folder}`,
    `--allow-fs-write=${temporary}`,
    '--no-experimental-sqlite',
    '--no-addons',
    '--no-warnings',
    `--import=${place('test-guard', folder)}`,
    `--test-reporter=${place('test-reporter', folder)}`,
    '--test-reporter-destination=stdout',
    `--test-timeout=${Math.ceil(Math.min(ONE_TEST_MS, limits.timeMs / 2))}`,
    join(workspace.root, file),
  ];
  return confinedProcess({
    command: command!,
    args,
    cwd: workspace.root,
    env: { TMPDIR: temporary, CADRE_TEST_REPORT: join(temporary, REPORT), NO_COLOR: '1', TZ: 'UTC' },
    timeMs: limits.timeMs,
    memoryMb: limits.memoryMb,
    outputBytes: limits.outputBytes,
    signal,
  });
}

/** Copies one of our modules to where the tests' process may read it: compiled, or as its source, which Node can run too. */
function place(module: string, folder: string): string {
  const compiled = fileURLToPath(new URL(`./${module}.js`, import.meta.url));
  const isCompiled = existsSync(compiled);
  const target = join(folder, `${module}.${isCompiled ? 'mjs' : 'mts'}`);
  copyFileSync(isCompiled ? compiled : compiled.replace(/\.js$/, '.ts'), target);
  return target;
}
