import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { textMatches, textPart } from './text-window.js';
import type { TextPart } from './text-window.js';

let folder: string;
let file: FileHandle;

async function holding(content: string | Uint8Array): Promise<FileHandle> {
  writeFileSync(join(folder, 'file'), content);
  return (file = await open(join(folder, 'file')));
}

beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'cadre-text-'))));
afterEach(async () => {
  await file.close();
  rmSync(folder, { recursive: true });
});

test.each([1, 5, 7, 64])('a long text is read part by part, each character once, %d bytes at a time', async (maxBytes) => {
  const text = 'Zeile mit ä, € und 😀.\n'.repeat(40);
  const opened = await holding(text);
  const read: string[] = [];
  for (let offset: number | undefined = 0; offset !== undefined;) {
    const part: TextPart = (await textPart(opened, Buffer.byteLength(text), offset, Math.max(4, maxBytes)))!;
    read.push(part.text);
    offset = part.nextOffset;
  }
  expect(read.join('')).toBe(text);
  expect(read.length).toBeGreaterThan(15);
});

test('an offset within a character begins at the next one, and beyond the end nothing is there', async () => {
  const opened = await holding('ä€😀b');
  expect((await textPart(opened, 10, 1, 100))?.text).toBe('€😀b');
  expect(await textPart(opened, 10, 10, 100)).toEqual({ text: '' });
  expect(await textPart(opened, 10, 5000, 100)).toEqual({ text: '' });
});

test('what is smaller than one character is stepped over rather than asked for again and again', async () => {
  expect(await textPart(await holding('😀b'), 5, 0, 2)).toEqual({ text: '', nextOffset: 1 });
});

test('a search gives the lines that hold a text, and goes on where it ended', async () => {
  const lines = Array.from({ length: 120 }, (_, i) => `line ${i + 1} ${i % 2 ? 'ODD ä' : 'even'}`);
  const opened = await holding(lines.join('\r\n'));
  const first = (await textMatches(opened, 0, 'odd Ä'))!;
  expect(first.matches).toHaveLength(50);
  expect(first.matches[0]).toEqual({ line: 2, offset: 13, text: 'line 2 ODD ä' });
  const rest = (await textMatches(opened, first.nextOffset!, 'odd Ä'))!;
  expect(rest.matches.map(({ text }) => text)).toEqual(lines.filter((_, i) => i % 2 && i >= 100));
  expect(rest.nextOffset).toBeUndefined();
  expect(await textMatches(opened, 0, 'none')).toEqual({ matches: [] });
});

test.each([0, 16_384 - 5, 16_384, 200_000, 262_144 - 3])('a search finds what lies %d characters into a line without end', async (at) => {
  const { matches } = (await textMatches(await holding(`${'x'.repeat(at)}needle${'y'.repeat(30_000)}`), 0, 'NEEDLE'))!;
  expect(matches.map(({ text }) => text.includes('needle') && text.length < 400)).toEqual([true]);
});

test('binary files are no text', async () => {
  const opened = await holding(new Uint8Array([65, 0, 66]));
  expect([await textPart(opened, 3, 0, 10), await textMatches(opened, 0, 'A')]).toEqual([undefined, undefined]);
});
