import type { AgentReply } from '@cadre/contracts';
import { Brief } from '../conversation.js';
import { replay, ToolDesk } from '../script/script.js';
import { synthesizer } from './synthesizer.js';

const FOUND = '- `units` ranges from 20 to 79.';

function answerOf(...answers: string[]): string {
  const results = answers.map((answer, index) => ({ taskId: `t${index}`, title: `Task ${index}`, answer, artifacts: ['report.md'] }));
  const progress = replay(synthesizer(Brief.parse({ kind: 'answer', goal: 'Do it', results }), new ToolDesk(new Set())), []);
  if (!progress.done) throw new Error('it asks for tools');
  return (progress.value as AgentReply).answer;
}

test('what two tasks say word by word stands there once', () => {
  const answer = answerOf(FOUND, FOUND);
  expect(answer.split(FOUND)).toHaveLength(2);
  expect(answer).toContain('## Task 1\n\nThe same as under "Task 0".');
});

test('what they say differently stands there twice', () => {
  expect(answerOf(FOUND, `${FOUND} No more.`).split(FOUND)).toHaveLength(3);
});
