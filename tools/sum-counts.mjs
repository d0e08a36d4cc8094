/**
 * Prints `N passed, N failed, N skipped`, summed over what the tasks of tests have written. Usage: node tools/sum-counts.mjs [EXIT STATUS
 * OF THE TESTS]
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const status = Number(process.argv[2] ?? 0);
const sum = { passed: 0, failed: 0, skipped: 0 };
const folder = join(import.meta.dirname, '../.cache/test-counts');
const files = existsSync(folder) ? readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.json')) : [];
for (const file of files) {
  const counts = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  for (const kind of Object.keys(sum)) sum[kind] += counts[kind];
}
// Something else than a test has failed.
if (sum.failed === 0 && (status !== 0 || files.length === 0)) sum.failed = 1;
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
