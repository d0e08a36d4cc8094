import fc from 'fast-check';
import { ResultShelf, TOOL_OUTPUT_BYTES } from './result-shelf.js';

interface Page {
  text: string;
  nextOffset?: number;
}

test('a long result is read page by page, each character once, no page too long', () => {
  const anyText = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).map((part) => part.repeat(6000));
  fc.assert(
    fc.property(anyText, (text) => {
      const shelf = new ResultShelf();
      let shown = shelf.put(text);
      if (shown === text) return;
      let read = '';
      for (;;) {
        expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(TOOL_OUTPUT_BYTES);
        const page = JSON.parse(shown) as Page;
        read += page.text;
        if (page.nextOffset === undefined) break;
        expect(page.nextOffset).toBe(read.length);
        shown = shelf.read(JSON.stringify({ result: 1, offset: page.nextOffset }));
      }
      expect(read).toHaveLength(text.length);
    }),
    { numRuns: 30 },
  );
});

test('a short result is shown as it is, and can be read again', () => {
  const shelf = new ResultShelf();
  expect(shelf.put('{"a":1}')).toBe('{"a":1}');
  expect(JSON.parse(shelf.read('{"result":1}'))).toEqual({ result: 1, characters: 7, offset: 0, text: '{"a":1}' });
  expect(JSON.parse(shelf.read('{"result":1,"offset":99}'))).toMatchObject({ text: '' });
});

test('a search shows what stands around each match, and where to go on', () => {
  const shelf = new ResultShelf();
  shelf.put(Array.from({ length: 30 }, (_, i) => `${'.'.repeat(1000)}Needle ${i}`).join(''));
  const first = JSON.parse(shelf.read('{"result":1,"search":"needle"}')) as {
    matches: { offset: number; text: string }[];
    nextOffset: number;
  };
  expect(first.matches).toHaveLength(20);
  expect(first.matches[3]?.text).toContain('Needle 3');
  const rest = JSON.parse(shelf.read(JSON.stringify({ result: 1, search: 'needle', offset: first.nextOffset }))) as typeof first;
  expect(rest.matches).toHaveLength(10);
  expect(rest.nextOffset).toBeUndefined();
});

test.each(['{"result":2}', '{"result":0}', '{', '{"result":1,"offset":-1}', '[]', ''])('%s is answered with what is wrong', (args) => {
  const shelf = new ResultShelf();
  shelf.put('x');
  expect(JSON.parse(shelf.read(args))).toEqual({ error: expect.any(String) });
});
