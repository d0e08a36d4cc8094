import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openInputs, parseDuration, parseLabels, parsePriority, parseProfile, parseWhole } from './options.js';

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'cli-spec-'));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

test('values are read, and refused with what would be right', () => {
  expect(['90s', '10m', '1.5h', '500ms', '1d'].map(parseDuration)).toEqual([90_000, 600_000, 5_400_000, 500, 86_400_000]);
  expect(() => parseDuration('10')).toThrow('"10" is not a length of time.');
  expect(parsePriority('high')).toBe('high');
  expect(() => parsePriority('urgent')).toThrow('There is no priority "urgent".');
  expect(parseProfile('fast')).toBe('fast');
  expect(() => parseProfile('quick')).toThrow('There is no profile "quick".');
  expect(parseLabels(['a=1', 'b=x=y'])).toEqual({ a: '1', b: 'x=y' });
  expect(() => parseLabels(['a'])).toThrow('has no value');
  expect(() => parseWhole('--limit', 1, 200)('0')).toThrow('--limit is "0", not a whole number from 1 to 200.');
});

test('inputs are opened; names that agents cannot use are changed and told', async () => {
  await writeFile(join(cwd, 'a.csv'), 'x\n1\n');
  await writeFile(join(cwd, 'Größe?.csv'), 'y\n2\n');
  const notes: string[] = [];
  const files = await openInputs(['a.csv', 'Größe?.csv'], cwd, (line) => notes.push(line));
  expect(files.map(({ name }) => name)).toEqual(['a.csv', 'Gro_e_.csv']);
  expect(notes).toEqual(['Größe?.csv is sent as Gro_e_.csv.']);
  expect(await (files[0]!.data as Blob).text()).toBe('x\n1\n');
});

test('inputs that are missing, folders or doubled are refused', async () => {
  await writeFile(join(cwd, 'a.csv'), '');
  const note = (): void => undefined;
  await expect(openInputs(['none.csv'], cwd, note)).rejects.toThrow('The input none.csv cannot be read: there is no such file.');
  await expect(openInputs(['.'], cwd, note)).rejects.toThrow('is not a file');
  await expect(openInputs(['a.csv', './a.csv'], cwd, note)).rejects.toThrow('Two inputs are named a.csv.');
});
