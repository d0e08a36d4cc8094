import { TaskSpec } from '@cadre/contracts';
import { keptSpecialist } from './kept-specialist.js';

const specialist = { name: 'tax-reader', description: 'Reads.', skills: ['tax-law'], instructions: 'You read.', tools: ['read_file'] };
const inner = { id: 'b', title: 'b', instructions: 'b', agent: 'data-analyst', specialist };
const tasks = [TaskSpec.parse({ id: 'a', title: 'a', instructions: 'a', scope: { body: [inner] } })];
const plan = { runId: 'r00-00000000-0000-7000-8000-000000000001', tasks };
const { name: _name, ...definition } = specialist;

test('an agent of a run becomes a definition, wherever in the plan it stands', () => {
  expect(keptSpecialist(plan, 'tax-reader', [{ name: 'data-analyst' }])).toEqual({ template: 'data-analyst', ...definition });
  expect(keptSpecialist(plan, 'tax-reader', [])).toMatchObject({ template: 'assistant' });
  expect(keptSpecialist(plan, 'tax-reader', [], 'reader')).toMatchObject({ template: 'reader' });
});

test('one that is not there is told with those that are', () => {
  expect(() => keptSpecialist(plan, 'poet', [])).toThrow('its plan has made tax-reader');
  expect(() => keptSpecialist({ ...plan, tasks: [] }, 'poet', [])).toThrow('has made none');
});
