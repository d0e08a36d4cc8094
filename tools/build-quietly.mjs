/** Builds everything with one line of output; prints the build's own output only when it fails. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const began = Date.now();
process.stderr.write('Building … ');
const build = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
if (build.status === 0) {
  process.stderr.write(`done (${((Date.now() - began) / 1000).toFixed(1)} s)\n`);
} else {
  process.stderr.write('failed\n');
  process.stderr.write(`${build.stdout ?? ''}${build.stderr ?? ''}${build.error ?? ''}`);
  process.exit(build.status ?? 1);
}
