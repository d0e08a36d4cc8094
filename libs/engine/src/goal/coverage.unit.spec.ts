import { goalParts } from './goal-parts.js';
import { languageOf } from './language-of.js';
import { openParts } from './coverage.js';
import type { Claim } from './coverage.js';
import type { Output } from './evidence.js';

const open = (goal: string, outputs: Output[], claims: Claim[] = [], inputs: string[] = []): string[] =>
  openParts({ goal, parts: goalParts(goal), inputs, outputs, claims }).map(({ text }) => text);

const claim = (part: number, ...where: string[]): Claim => ({ part, done: true, where });
const answer = (text: string): Output => ({ place: 'answer', text });

test("a part is done where an output shows it, not where the goal's words are repeated", () => {
  const goal = 'Research solar power and write tests';
  const echo: Output = { place: 'research.md', text: '# Research solar power\n\nWrite tests' };
  expect(open(goal, [echo, answer('Research solar power; write tests.')])).toEqual(['Research solar power', 'write tests']);
  const found: Output = { place: 'research.md', text: 'Solar panels turn a fifth of the light into power (IEA).' };
  expect(open(goal, [found, { place: 'test/a.test.ts', text: 'test("a", () => {});' }, answer('See the files.')])).toEqual([]);
});

test('what the answer says counts where it can be looked up', () => {
  const goal = 'Plan a trip to Lisbon';
  const outputs = [{ place: 'work', title: 'Do it', text: 'Day 1: Alfama. Day 2: Belém.' }, answer('Two days.')];
  expect(open(goal, outputs)).toEqual([goal]);
  expect(open(goal, outputs, [claim(1, 'work')])).toEqual([]);
  expect(open(goal, outputs, [claim(1, 'Do it')])).toEqual([]);
  expect(open(goal, outputs, [claim(1, 'elsewhere')])).toEqual([goal]);
  expect(open(goal, outputs, [{ ...claim(1, 'work'), done: false }])).toEqual([goal]);
  expect(open(goal, [{ place: 'work', text: 'Plan a trip to Lisbon' }, answer('x')], [claim(1, 'work')])).toEqual([goal]);
});

test('an answer may not say that of a part which its kind belies', () => {
  const goal = 'Build a REST API for pets with authentication and write tests. Chart the sales';
  const code = (text: string): Output => ({ place: 'src/server.ts', text });
  const all = [1, 2, 3, 4].map((part) => claim(part, 'src/server.ts', 'answer'));
  expect(open(goal, [code('createServer(() => list())'), answer('All is done.')], all)).toEqual([
    'with authentication',
    'write tests',
    'Chart the sales',
  ]);
  const more: Output[] = [code('if (!isBearer(token)) return 401'), { place: 'test/api.test.ts', text: '' }, { place: 'charts/a.svg' }];
  expect(
    open(
      goal,
      [...more, answer('All is done.')],
      [1, 2, 3, 4].map((part) => claim(part, ...more.map(({ place }) => place))),
    ),
  ).toEqual([]);
});

test('a demand is met by an output that has it', () => {
  const french = 'Le port ferme la vieille jetée à la fin du mois, et les camions sont dans la ville.';
  expect(open('Summarize the notes in French', [answer('The harbour closes the old pier of the town.')], [claim(1, 'answer')])).toEqual([
    'in French',
  ]);
  expect(open('Summarize the notes in French', [answer(french)], [claim(1, 'answer')])).toEqual([]);
  expect(open('Translate it into French', [answer('The harbour closes the pier.')], [claim(1, 'answer')])).toEqual([
    'Translate it into French',
  ]);
  expect(open('Sum it up in at most 5 words', [answer('One two three four five six')], [claim(1, 'answer')])).toEqual([
    'in at most 5 words',
  ]);
  expect(open('Write code in Python', [{ place: 'a.ts', text: 'x' }, answer('Here.')], [claim(1, 'a.ts')])).toEqual(['in Python']);
  expect(open('Write code in Python', [answer('```py\nprint(1)\n```')], [claim(1, 'answer')])).toEqual([]);
  expect(open('Sum up b.csv', [answer('Ten rows.')], [claim(1, 'answer')])).toEqual(['b.csv']);
  expect(open('Sum up b.csv', [answer('Ten rows.')], [claim(1, 'answer')], ['B.csv'])).toEqual([]);
});

test('what is not to be there is looked for, and of what cannot be looked for the answer speaks', () => {
  const goal = 'Build an API without authentication. Do not write tests. Do not change the names';
  const made: Output[] = [{ place: 'src/a.ts', text: 'createServer()' }, answer('An API.')];
  const claims = [claim(1, 'src/a.ts')];
  expect(open(goal, made, claims)).toEqual(['Do not change the names']);
  expect(open(goal, made, [...claims, { part: 4, done: true, where: [] }])).toEqual([]);
  const more: Output[] = [{ place: 'src/a.ts', text: 'if (token) return' }, { place: 'test/a.test.ts', text: '' }, answer('An API.')];
  expect(open(goal, more, [...claims, claim(2, 'answer'), claim(3, 'answer'), claim(4, 'answer')])).toEqual([
    'without authentication',
    'Do not write tests',
  ]);
});

test.each([
  ['en', 'The harbour closes its old pier at the end of the month.'],
  ['fr', 'Le port ferme la vieille jetée à la fin du mois pour les grands navires.'],
  ['de', 'Der Hafen schließt die alte Mole am Ende des Monats und ist nicht zu sehen.'],
  ['es', 'El puerto cierra el muelle en el mes de mayo y los barcos se van con la marea.'],
  ['zh', '港口将在月底关闭旧码头。'],
  ['ja', '港は月末に古い桟橋を閉鎖します。'],
  ['ru', 'Порт закроет старый пирс в конце месяца.'],
  ['uk', 'Порт закриє старий пірс у кінці місяця.'],
  [undefined, '42'],
])('a text in %s', (code, text) => {
  expect(languageOf(text)).toBe(code);
});
