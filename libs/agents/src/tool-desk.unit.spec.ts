import { CadreError } from '@cadre/contracts';
import { z } from 'zod';
import type { FileRecord, Tool } from './ports.js';
import { sampleAgent, sampleAssignment, soloWork } from './testing/index.js';
import { ToolDesk } from './tool-desk.js';

const fullFolder: FileRecord = {
  changed: () => Promise.reject(new CadreError('workspace-limit', 'There are 201 files; the limit is 200.')),
  restore: async () => undefined,
};

function deskWith(effect: Tool['effect']) {
  const tool: Tool = { name: 'send', description: 'Sends.', parameters: z.object({}), effect, run: async () => ({ sent: true }) };
  const { work } = soloWork({ assignment: sampleAssignment({ tools: ['send'] }), agent: sampleAgent() });
  return new ToolDesk(['send'], [tool], work.calls, fullFolder);
}

const call = { id: 'c', name: 'send', arguments: '{}' };

test('a call that leaves too many files is answered with that', async () => {
  expect(await deskWith('none').answerTurn([call], '')).toEqual([{ text: expect.stringContaining('the limit is 200'), result: 1 }]);
});

test.each(['once', 'idempotent'] as const)('an effect (%s) that has happened is not hidden behind a full workspace', async (effect) => {
  expect(await deskWith(effect).answerTurn([call], '')).toEqual([{ text: '{"sent":true}', result: 1 }]);
});

describe('the calls of one turn', () => {
  const log: string[] = [];

  function tool(name: string, reads: boolean): Tool {
    const run = async () => {
      log.push(`${name} begins`);
      for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
      log.push(`${name} ends`);
      return { name };
    };
    return { name, description: 'Works.', parameters: z.object({}), effect: reads ? 'none' : 'once', reads, run };
  }

  async function answers(names: string[]) {
    log.length = 0;
    const tools = ['look', 'watch', 'send', 'pay'];
    const { work } = soloWork({ assignment: sampleAssignment({ tools }), agent: sampleAgent() });
    const desk = new ToolDesk(tools, [tool('look', true), tool('watch', true), tool('send', false), tool('pay', false)], work.calls);
    const calls = names.map((name, place) => ({ id: `c${place}`, name, arguments: '{}' }));
    return (await desk.answerTurn(calls, '')).map(({ text }) => text);
  }

  test('are made side by side where they only read', async () => {
    expect(await answers(['look', 'watch'])).toEqual(['{"name":"look"}', '{"name":"watch"}']);
    expect(log.slice(0, 2).sort()).toEqual(['look begins', 'watch begins']);
  });

  test('are made in order where they have an effect, and what is read stays before and after it', async () => {
    await answers(['send', 'pay', 'look', 'watch', 'send', 'look']);
    const order = log.filter((line) => /^(send|pay)/.test(line) || line.startsWith('look'));
    expect(order).toEqual([
      ...['send begins', 'send ends', 'pay begins', 'pay ends', 'look begins', 'look ends'],
      ...['send begins', 'send ends', 'look begins', 'look ends'],
    ]);
  });
});
