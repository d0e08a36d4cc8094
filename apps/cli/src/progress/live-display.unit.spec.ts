import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { NO_USAGE, type Question } from '@cadre/contracts';
import { LiveDisplay } from './live-display.js';
import { emptyProgress } from './run-progress.js';
import type { TaskProgress } from './task-progress.js';

const task = (id: string): TaskProgress => ({
  ...{ id, title: `Task ${id}`, kind: 'work', phase: 'running', attempt: 1, usage: NO_USAGE, questions: [] },
});

/** A terminal 100 columns wide, and what was written to it since it was last asked. */
function terminal(): { stream: NodeJS.WriteStream; shown: () => string } {
  let text = '';
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  const shown = (): string => {
    const now = text;
    text = '';
    return now;
  };
  return { stream: Object.assign(stream, { isTTY: true, columns: 100, rows: 40 }) as unknown as NodeJS.WriteStream, shown };
}

test('tasks that come later are drawn while they run; a question shows what to type', async () => {
  const { stream, shown } = terminal();
  const display = new LiveDisplay(stream, 100);
  const progress = { ...emptyProgress(), runId: 'r00-x' };
  const [first, second] = [task('first'), task('second')];
  display.update([first], progress);
  await sleep(200);
  expect(shown()).toContain('Task first');
  first.phase = 'completed';
  display.update([first], progress);
  display.update([second], progress);
  await sleep(300);
  expect(shown()).toContain('Task second');
  const question: Question = {
    questionId: 'q1',
    taskId: 'second',
    kind: 'budget',
    text: 'May it?',
    choices: ['approve', 'deny'],
    dueAt: 0,
  };
  Object.assign(second, { phase: 'asking', questions: [question] });
  display.update([second], progress);
  await sleep(300);
  expect(shown()).toMatch(/Task second: May it\?[^]*answer: cadre answer r00-x q1 approve\|deny/);
  Object.assign(second, { phase: 'completed', questions: [] });
  display.update([second], progress);
  await display.finish();
  expect(shown()).not.toContain('May it?');
});
