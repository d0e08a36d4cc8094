/**
 * The proof that each change has to pass: 2,000 worlds of 5,000 events each, and healing after it, by the built simulator on two threads.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SoakSummary } from './cli/soak.js';

test('2,000 seeds of 5,000 steps show nothing', async () => {
  const out = join(mkdtempSync(join(tmpdir(), 'cadre-sim-')), 'soak.json');
  const args = [
    join(import.meta.dirname, '../bin/cadre-sim.js'),
    '--soak',
    '--seeds',
    '2000',
    '--steps',
    '5000',
    '--jobs',
    '2',
    '--out',
    out,
  ];
  await promisify(execFile)(process.execPath, args).catch(() => undefined);
  const summary = JSON.parse(readFileSync(out, 'utf8')) as SoakSummary;
  expect(summary.findings).toEqual([]);
  expect(summary.seedsDone).toBe(2000);
  expect(summary.stepsTaken).toBeGreaterThan(2000 * 5000);
}, 900_000);
