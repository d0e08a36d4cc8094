import { goalParts } from './goal-parts.js';

const parts = (goal: string): string[] => goalParts(goal).map(({ kind, text }) => `${kind}: ${text}`);

test.each([
  ['What stands out?', ['analysis: What stands out?']],
  [
    'Analyze the weather data, generate report code, write tests, and document the API',
    ['analysis: Analyze the weather data', 'code: generate report code', 'tests: write tests', 'docs: document the API'],
  ],
  [
    'Build a REST API for user management with:\n1. User CRUD operations\n2. Authentication\n3. Unit tests\n4. API documentation',
    [
      'code: Build a REST API for user management',
      'code: User CRUD operations',
      'feature: Authentication',
      'tests: Unit tests',
      'docs: API documentation',
    ],
  ],
  [
    'Build a shop API with login, pagination and tests. Then deploy it!',
    ['code: Build a shop API', 'feature: with login', 'feature: with pagination', 'tests: tests', 'deployment: Then deploy it!'],
  ],
  ['Summarize the notes in French', ['summary: Summarize the notes', 'language: in French']],
  [
    'Write a summary of a.txt in at most 50 words as PDF',
    ['summary: Write a summary of a.txt', 'length: in at most 50 words', 'format: as PDF', 'file: a.txt'],
  ],
  ['Translate "tea, coffee and cake" into Polish', ['translation: Translate "tea, coffee and cake" into Polish']],
  ['Compare apples and oranges', ['unknown: Compare apples and oranges']],
  ['Clean and validate the data', ['unknown: Clean and validate the data']],
  ['用中文写一份报告，并分析数据', ['report: 写一份报告', 'language: 用中文', 'analysis: 分析数据']],
  ['分析销售数据并编写测试，不要写文档', ['analysis: 分析销售数据', 'tests: 编写测试', 'without: 不要写文档']],
  ['Analyse les ventes, puis trace un graphique', ['analysis: Analyse les ventes', 'chart: puis trace un graphique']],
  ['Schreibe ein Programm ohne Tests und Dokumentation', ['code: Schreibe ein Programm', 'without: ohne Tests und Dokumentation']],
  ['N’envoie pas de courriel ; dessine un graphique', ['without: N’envoie pas de courriel', 'chart: dessine un graphique']],
  [
    'Build an API. Do not write tests or docs, but deploy it',
    ['code: Build an API', 'without: Do not write tests or docs', 'deployment: deploy it'],
  ],
  ["Build an API and don't forget to write tests", ['code: Build an API', "tests: don't forget to write tests"]],
  ['No more than 50 words', ['length: No more than 50 words']],
  ['Analyze it — then — write tests (pls)', ['analysis: Analyze it', 'tests: write tests (pls)']],
  ['Crée une API REST avec authentification', ['code: Crée une API REST', 'feature: avec authentification']],
  ['Build it with Node.js', ['code: Build it', 'feature: with Node.js']],
  ['Résume les notes en français', ['summary: Résume les notes', 'language: en français']],
  ['Napisz wiersz o morzu i kup mleko', ['text: Napisz wiersz o morzu i kup mleko']],
  ['???', ['unknown: ???']],
])('%s', (goal, expected) => {
  expect(parts(goal)).toEqual(expected);
});

test('what does not fit is one part more, not lost', () => {
  const found = goalParts(Array.from({ length: 90 }, (_, n) => `- Send letter ${n} to town ${n}`).join('\n'));
  expect(found).toHaveLength(40);
  expect(found.at(-1)?.text).toMatch(/^the rest of the goal: Send letter 39/);
  expect(goalParts(`Analyze it. ${'x'.repeat(5000)} Email it.`).at(-1)?.text).toMatch(/^the rest of the goal/);
});

test('a goal of any content has parts that say something', () => {
  for (const goal of ['', ' . ', '😀'.repeat(4000), 'and then '.repeat(500), '\u0000', 'a,'.repeat(2000), '"'.repeat(300)]) {
    for (const { text } of goalParts(goal)) expect(text).not.toBe('');
  }
});
