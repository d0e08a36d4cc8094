/**
 * Every named crash point is somewhere in the services: a name that nobody passes would make its rounds of the crash matrix prove nothing.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CRASH_POINTS } from '@cadre/contracts';

const root = join(import.meta.dirname, '..');
const OWN_FILE = 'libs/contracts/src/crash-points.ts';

function sources(): string {
  const files = ['libs', 'apps'].flatMap((kind) =>
    readdirSync(join(root, kind)).flatMap((project) =>
      readdirSync(join(root, kind, project, 'src'), { recursive: true, encoding: 'utf8' }).map((file) => join(kind, project, 'src', file)),
    ),
  );
  const product = files.filter((file) => file.endsWith('.ts') && !/\.spec\.ts$|\/testing\/|^apps\/chaos\//.test(file) && file !== OWN_FILE);
  return product.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
}

const text = sources();

test.each(Object.values(CRASH_POINTS).flat())('%s is passed somewhere', (point) => {
  expect(text).toContain(`'${point}'`);
});

test('names start with their service', () => {
  for (const [service, points] of Object.entries(CRASH_POINTS))
    for (const point of points) expect(point.startsWith(`${service}-`)).toBe(true);
});
