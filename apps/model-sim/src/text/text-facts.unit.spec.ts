import { textFacts } from './text-facts.js';

test.each([
  ['', 0],
  ['one', 1],
  ['one\n', 1],
  ['one\r\ntwo\r\n', 2],
  ['one\n\n', 2],
])('%j has %i lines', (text, lines) => expect(textFacts(text).lines).toBe(lines));
