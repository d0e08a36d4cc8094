import { goalParts } from '@cadre/engine';
import { Brief } from '../conversation.js';
import { GoalAccount, type Evidence } from './account-of.js';

const column = (name: string) => ({ name, type: 'number' });
const TEAM = [
  {
    taskId: 'analyze',
    title: 'Analyze the data',
    answer: '`sales.csv` has 48 rows and 4 columns.',
    artifacts: ['report.md', 'data/profile.json', 'charts/a.svg'],
  },
  { taskId: 'code', title: 'Write the code', answer: 'Report code.\n\nType check (strict): no errors.', artifacts: ['src/report.ts'] },
  { taskId: 'test', title: 'Tests', answer: '**9 passed, 0 failed, 0 skipped** (node --test).', artifacts: ['test/report.test.ts'] },
  { taskId: 'docs', title: 'Document', answer: 'It describes 9 exports.', artifacts: ['docs/API.md'] },
  { taskId: 'review', title: 'Review', answer: '**Verdict: no objections.** 0 errors', artifacts: ['review.md'] },
];
const REPORT = '## Over time\n\n## By `region`\n\n## Unusual values\n';

function undone(goal: string, results: object[] = TEAM, input = 'sales.csv', measures = ['units', 'revenue']): string[] {
  const parts = goalParts(goal).map(({ text }, index) => ({ part: index + 1, text }));
  const brief = Brief.parse({ kind: 'answer', goal, inputs: [{ name: input }], results, account: { parts } });
  const profile = {
    profiles: [{ columns: ['date', 'region', 'units', 'revenue'].map(column) }],
    trends: measures.map((measure) => ({ measure })),
    anomalies: [],
  } as unknown as Evidence['profile'];
  const claims = new GoalAccount(brief, { profile, report: REPORT, docs: '# API\n', resource: undefined }).claims();
  return claims.flatMap(({ part, done }) => (done ? [] : [parts[part - 1]!.text]));
}

test.each([
  'Analyze sales data, generate report code, write tests, and document the API',
  'analyze sales data trends',
  'Analyse sales.csv.',
  'What are the trends in revenue?',
  'Show me statistics of revenue and units by region',
  'Find unusual values in the sales figures',
  'Generate final report',
  'Generate report code for sales.csv, write tests and run them',
  'How many rows does the file have?',
  'Analyse les ventes, écris des tests et trace un graphique',
  'Analysiere die Verkäufe und erstelle ein Diagramm',
  'Analiza las ventas y escribe pruebas',
  '分析销售数据并编写测试',
  'Summarize sales.csv',
  'Explain what the data says',
  'Analyze the sales, but do not send an email',
])('%s is done whole', (goal) => {
  expect(undone(goal)).toEqual([]);
});

test.each([
  ['Analyze Q4 sales data and identify trends', ['Analyze Q4 sales data']],
  ['analyze customer satisfaction data', ['analyze customer satisfaction data']],
  ['Analyze sales.csv and forecast next quarter', ['forecast next quarter']],
  ['Analyze revenue, but leave out Cocoa', ['leave out Cocoa']],
  ['Show me statistics of revenue by product', ['Show me statistics of revenue by product']],
  ['Write report code for the sales data in Python', ['in Python']],
  ['Give me a PDF report on the sales', ['PDF']],
  ['How many units are there per region?', ['How many units are there per region?']],
  ['Show the maximum revenue in each region', ['Show the maximum revenue in each region']],
  ['What are the trends in revenue by region?', ['What are the trends in revenue by region?']],
  ['Analysiere die Verkäufe auf Deutsch', ['auf Deutsch']],
  ['Analyse les ventes de thé', ['Analyse les ventes de thé']],
  ['Analyze the sales. Do not write tests', ['Do not write tests']],
  ['Analyze the sales. Do not use units', ['Do not use units']],
  ['Write unit tests and integration tests', ['integration tests']],
])('of "%s" not all is done', (goal, expected) => {
  expect(undone(goal)).toEqual(expected);
});

test('what a task says that it has not done is not done', () => {
  const results = TEAM.map((result) => (result.taskId === 'test' ? { ...result, missing: ['Tests'] } : result));
  expect(undone('Analyze sales data and write tests', results)).toEqual(['write tests']);
  expect(undone('What are the trends in revenue?', TEAM, 'sales.csv', ['units'])).toHaveLength(1);
});
