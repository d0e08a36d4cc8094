/** What a task asks for as data is filled from what tools have said, and from nothing else. */
import { resultFaults, type Json, type ResultSchema } from '@cadre/contracts';
import { Brief, type Conversation } from '../conversation.js';
import { fittedAnswer } from './fitted-answer.js';

const PROFILE = {
  rows: 180,
  columns: [
    { name: 'units', missing: 0, numbers: { min: 20, max: 79, mean: 49.5 } },
    { name: 'revenue', missing: 4, numbers: { min: 400.5, max: 980.25, mean: 693.125 } },
  ],
};
const TURNS = [
  { name: 'profile_data', args: '', result: PROFILE },
  { name: 'query_data', args: '', result: { columns: ['region', 'best'], rows: [['north', 71]], truncated: false } },
  { name: 'write_file', args: '', result: { path: 'report.md', size: 12 } },
  { name: 'read_file', args: '', result: { path: 'notes.txt', text: 'The harbour opens at dawn.', truncated: false } },
];
const REPLY = { answer: 'Revenue rises.', confidence: 0.9 };

function filled(schema: ResultSchema, turns: Conversation['turns'] = TURNS) {
  const brief = Brief.parse({ kind: 'work', task: { title: 'Analyze' } });
  return fittedAnswer(REPLY, schema, brief, { turns } as Conversation);
}
const object = (properties: Record<string, Json>, required = Object.keys(properties)): ResultSchema => ({
  ...{ type: 'object', properties, required },
});
const number = { type: 'number' };

test.each<[string, ResultSchema, Json]>([
  ['a count by its name', object({ rowCount: { type: 'integer' } }), { rowCount: 180 }],
  ['a figure of a column, in one name', object({ revenue_mean: number }), { revenue_mean: 693.125 }],
  ['the same in another order and other words', object({ averageRevenue: number }), { averageRevenue: 693.125 }],
  ['figures within an object', object({ units: object({ min: number, maximum: number }) }), { units: { min: 20, maximum: 79 } }],
  ['a cell of a query by its column', object({ best: { type: 'integer' } }), { best: 71 }],
  ['a text', object({ summary: { type: 'string' } }), { summary: 'Revenue rises.' }],
  ['the files that were written', object({ files: { type: 'array', items: { type: 'string' } } }), { files: ['report.md'] }],
  ['words of a text that was read', object({ words: { type: 'integer' } }), { words: 5 }],
  ['whether it is done', object({ done: { type: 'boolean' } }), { done: true }],
  ['nothing, where that is allowed', object({ price: { type: ['number', 'null'] } }), { price: null }],
  ['a field that may be left out is', object({ rows: number, price: number }, ['rows']), { rows: 180 }],
  ['one of several forms', object({ price: { anyOf: [{ type: 'null' }, number] } }), { price: null }],
])('%s', (_, schema, value) => {
  const { answer } = filled(schema);
  expect(JSON.parse(answer)).toEqual(value);
  expect(resultFaults(schema, JSON.parse(answer) as Json)).toEqual([]);
});

test('a bare text is what the agent would have answered', () => {
  expect(filled({ type: 'string' })).toEqual(REPLY);
});

test.each<[string, ResultSchema, string]>([
  ['a figure that no tool has said', object({ price: number }), 'price'],
  ['one of several columns', object({ mean: number }), 'mean'],
  ['a figure of another thing', object({ price: object({ mean: number }) }), 'price.mean'],
  ['a figure out of its bounds', object({ rows: { type: 'integer', maximum: 100 } }), 'rows'],
  ['a whole number that is none', object({ revenueMean: { type: 'integer' } }), 'revenueMean'],
  ['a judgement', object({ choice: { enum: ['tea', 'coffee'] } }), 'choice'],
  ['a name', object({ capital: { type: 'string' } }), 'capital'],
  ['a list of what nobody has listed', object({ risks: { type: 'array', minItems: 1 } }), 'risks'],
])('%s is not made up: the answer says so and does not fit', (_, schema, named) => {
  const { answer, missing, confidence } = filled(schema);
  expect(answer).toContain(`asks for ${named}, and no tool has said that`);
  expect(resultFaults(schema, answer)).not.toEqual([]);
  expect({ missing, confidence }).toEqual({ missing: [`${named} of "Analyze"`], confidence: 0.1 });
});

test('the one cell of a query is not the number of its rows', () => {
  const turns = [{ name: 'query_data', args: '', result: { columns: ['total_rain'], rows: [[4426.2]], truncated: false } }];
  expect(filled(object({ rows: number }), turns).missing).toEqual(['rows of "Analyze"']);
  expect(JSON.parse(filled(object({ totalRain: number }), turns).answer)).toEqual({ totalRain: 4426.2 });
});

test('two files with different figures give none', () => {
  const turns = [180, 64].map((rows) => ({ name: 'profile_data', args: '', result: { rows } }));
  expect(filled(object({ rows: number }), turns).missing).toHaveLength(1);
});

test('the words of a cut text are not counted', () => {
  const turns = [{ name: 'read_file', args: '', result: { text: 'The harbour', truncated: true } }];
  expect(filled(object({ words: number }), turns).missing).toHaveLength(1);
});
