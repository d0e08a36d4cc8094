import { VirtualClock } from '@cadre/agents/testing';
import { TokenPart } from '@cadre/contracts';
import { TokenStream } from './token-stream.js';

const of = { tenant: 'acme', runId: 'r00-0197d2b4-0000-7000-8000-000000000001', taskId: 'map~3~look', attempt: 2, call: 'a'.repeat(32) };

function streamed() {
  const sent: { subject: string; part: TokenPart }[] = [];
  const clock = new VirtualClock(async () => undefined);
  const stream = new TokenStream(of, clock, (subject, part) => sent.push({ subject, part: TokenPart.parse(part) }));
  return { sent, clock, stream };
}

test('what comes within a tenth of a second goes out together, text and reasoning apart', async () => {
  const { sent, clock, stream } = streamed();
  for (const text of ['Th', 'ere ', 'is']) stream.hear({ text });
  stream.hear({ reasoning: 'Look.' });
  expect(sent).toEqual([]);
  await clock.advance(100);
  expect(sent).toEqual([
    {
      subject: `cadre.stream.acme.${of.runId}.map~3~look`,
      part: {
        runId: of.runId,
        taskId: of.taskId,
        attempt: 2,
        call: of.call,
        part: 1,
        at: expect.any(Number),
        text: 'There is',
        reasoning: 'Look.',
      },
    },
  ]);
  await clock.advance(1000);
  expect(sent).toHaveLength(1);
});

test('a flush sends what is left, in parts that fit into a message', () => {
  const { sent, stream } = streamed();
  stream.hear({ text: 'x'.repeat(40_000) });
  stream.hear({ text: 'end' });
  stream.flush();
  stream.flush();
  expect(sent.map(({ part }) => [part.part, part.text?.length])).toEqual([
    [1, 16_384],
    [2, 16_384],
    [3, 7232],
    [4, 3],
  ]);
});
