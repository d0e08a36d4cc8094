/** What is refused before anything is sent. What is sent is tried on the real system, in `examples.e2e.spec.ts`. */
import { runProgram } from '../program.js';
import { recordedTerminal } from '../testing/recorded-terminal.js';

test.each([
  [['put', 'a'], 'There is no content. To do: Give a file, or --text.'],
  [['put', 'a', 'b.md', '--text', 'x'], 'There are a file and --text.'],
  [['put', 'a', 'nowhere.md'], 'The file nowhere.md cannot be read: there is no such file.'],
  [['put', 'a', '--text', 'x', '--ttl', 'soon'], '"soon" is not a length of time.'],
  [['put', 'a', '--text', 'x', '--keep', '65'], 'not a whole number from 1 to 64'],
  [['put', 'a', '--text', 'x', '--expects', '-1'], 'not a whole number from 0'],
  [['list', '--tag', 'a', '--tag', 'b'], 'There are several tags.'],
  [['grant', 'ann', 'own', 'a'], 'There is no access "own". To do: Choose from read, write, delete.'],
  [['grant', 'ann', 'read', '../a'], '"../a" is no pattern.'],
  [['grant', 'Ann', 'read', 'a'], '"Ann" is no name of an agent.'],
])('cadre context %s is refused', async (args, words) => {
  const terminal = recordedTerminal({ env: { CADRE_URL: 'http://127.0.0.1:1' } });
  expect(await runProgram(['context', ...args], terminal)).toBe(2);
  expect(terminal.stderr.join(' ').replace(/\s+/g, ' ')).toContain(words);
});
