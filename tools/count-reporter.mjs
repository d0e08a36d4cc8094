/**
 * A Jest reporter that writes how many tests have passed, failed and been skipped to `.cache/test-counts/PROJECT/TARGET.json`, an output of
 * the task, so that Nx brings it back where it takes the task from its cache; without a task of Nx around it, to
 * `.cache/test-counts/all.json`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const { NX_TASK_TARGET_PROJECT: project = '', NX_TASK_TARGET_TARGET: target = 'all' } = process.env;

export default class CountReporter {
  onRunComplete(_contexts, results) {
    const folder = join(import.meta.dirname, '../.cache/test-counts', project);
    mkdirSync(folder, { recursive: true });
    const counts = {
      passed: results.numPassedTests,
      // A suite that does not even load has no tests to count, but it failed.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    writeFileSync(join(folder, `${target}.json`), JSON.stringify(counts));
  }
}
