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
  expect(await deskWith('none').answer(call, 0, '')).toContain('the limit is 200');
});

test.each(['once', 'idempotent'] as const)('an effect (%s) that has happened is not hidden behind a full workspace', async (effect) => {
  expect(await deskWith(effect).answer(call, 0, '')).toBe('{"sent":true}');
});
