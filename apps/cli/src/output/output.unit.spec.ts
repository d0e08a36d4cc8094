import { bytes, consumption, cost, count, duration, money, oneLine } from './figures.js';
import { renderMarkdown } from './markdown.js';
import { table } from './table.js';

test('figures read well', () => {
  expect([850, 4210, 185_000, 7_800_000].map(duration)).toEqual(['850 ms', '4.2 s', '3 min 5 s', '2 h 10 min']);
  expect([0, 20, 1500, 1_250_000].map(money)).toEqual(['$0', '$0.000020', '$0.0015', '$1.25']);
  expect([count(1, 'token'), count(1540, 'token')]).toEqual(['1 token', '1,540 tokens']);
  expect([12, 2048, 3 * 1024 * 1024].map(bytes)).toEqual(['12 B', '2.0 KiB', '3.0 MiB']);
  expect(consumption({ modelCalls: 1, toolCalls: 0, inputTokens: 1200, outputTokens: 340, costMicros: 1500 })).toBe(
    '1,540 tokens, $0.0015',
  );
  expect([{ costMicros: 0 }, { costMicros: 0, unpricedCalls: 2 }, { costMicros: 1500, unpricedCalls: 1 }].map(cost)).toEqual([
    '$0',
    'cost unknown',
    '$0.0015 and an unknown cost',
  ]);
});

test('a line stays one line, without control characters', () => {
  expect(oneLine('a\n\tb\u001b[31m  c', 20)).toBe('a b [31m c');
  expect(oneLine('abcdef', 4)).toBe('abc…');
});

test('tables line up', () => {
  expect(
    table(
      ['A', 'LONG'],
      [
        ['xyz', '1'],
        ['', 'two'],
      ],
    ),
  ).toEqual(['A    LONG', 'xyz  1', '     two']);
});

test('markdown is laid out for a terminal, and cannot steer it', () => {
  const mark = (style: unknown, text: string): string => `<${String(style)}>${text}</>`;
  const text =
    '# Title\n\nSome **bold** and `code`, [docs](http://x).\n- one\n\n| Month | Rain |\n|---|--:|\n| May | 12 |\n\n```ts\nlet a = **1**;\n```\nred\u001b[31m';
  expect(renderMarkdown(text, mark).split('\n')).toEqual([
    '<bold,underline>Title</>',
    '',
    'Some <bold>bold</> and <cyan>code</>, docs (http://x).',
    '  • one',
    '',
    '<bold>  Month  Rain</>',
    '  May      12',
    '',
    '    <cyan>let a = **1**;</>',
    'red[31m',
  ]);
});
