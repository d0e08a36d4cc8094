import { z } from 'zod';
import { fitArguments, readArguments } from './call-arguments.js';

const Schema = z.strictObject({
  path: z.string(),
  text: z.string().optional(),
  files: z.array(z.string()).optional(),
  rows: z.int().optional(),
});

function taken(text: string, cutOff = false): unknown {
  const read = readArguments(text, cutOff);
  if (read.kind !== 'read') return read.kind;
  const fit = fitArguments(Schema, read.value);
  return 'faults' in fit ? fit.faults : fit.value;
}

test.each<[string, string, unknown]>([
  ['as they should be', '{"path":"a"}', { path: 'a' }],
  ['with raw line breaks', '{"path":"a","text":"b\n\tc"}', { path: 'a', text: 'b\n\tc' }],
  ['encoded twice', JSON.stringify('{"path":"a"}'), { path: 'a' }],
  ['with a trailing comma', '{"path":"a",}', { path: 'a' }],
  ['with bad escapes', '{"path":"a","text":"\\d C:\\dir"}', { path: 'a', text: '\\d C:\\dir' }],
  ['as Python writes them', "{'path': 'a', 'text': None}", { path: 'a' }],
  ['with null for what is left out', '{"path":"a","text":null}', { path: 'a' }],
  ['with a list as text', '{"path":"a","files":"[\\"b\\"]"}', { path: 'a', files: ['b'] }],
  ['with a number as text', '{"path":"a","rows":"5"}', { path: 'a', rows: 5 }],
  ['with a number that is meant as text', '{"path":"a","text":"5"}', { path: 'a', text: '5' }],
])('arguments %s are read', (_, text, args) => expect(taken(text)).toEqual(args));

test.each(['', ' ', 'null', 'None', '{}', '"{}"', '""'])('%j is no arguments', (text) => {
  expect(readArguments(text)).toEqual({ kind: 'read', value: {} });
});

test.each<[string, boolean]>([
  ['{"path":"a","text":"function () {', true],
  ['{"path":"a","text":"function () { return 1; }', true],
  ['{"path":"a","text":"if (a) }', false],
  ['{"path":"a"', false],
])('%j was cut off, and is not completed', (text, cutOff) => expect(taken(text, cutOff)).toBe('cut-off'));

test.each([
  ['what?', 'no-json'],
  ['5', /object/],
  ['{"path":5}', /At path/],
  ['{"path":"a","more":1}', /more/],
])('%j is refused', (text, why) => expect(taken(text)).toMatch(why));
