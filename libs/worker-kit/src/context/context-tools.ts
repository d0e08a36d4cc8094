/** The tools `context_put`, `context_get`, `context_list` and `context_delete` of one attempt. */
import type { Tool } from '@cadre/agents';
import { standardTool } from '../standard-tool.js';
import type { AttemptContext } from './attempt-context.js';

/** Reading changes nothing, and what was read is on record. A change is the same however often it is made under the key that the engine gave. */
export function contextTools(context: AttemptContext): Tool[] {
  return [
    standardTool(
      'context_put',
      'idempotent',
      async (args, { key }) => {
        const answer = await context.put(args, key);
        context.noteWritten(answer);
        return answer;
      },
      (_, answer) => context.noteWritten(answer as Parameters<typeof context.noteWritten>[0]),
    ),
    standardTool(
      'context_get',
      'none',
      async (args) => {
        const answer = await context.get(args);
        context.noteRead(answer);
        return answer;
      },
      (_, answer) => context.noteRead(answer as Parameters<typeof context.noteRead>[0]),
    ),
    standardTool('context_list', 'none', (args) => context.list(args)),
    standardTool('context_delete', 'idempotent', (args, { key }) => context.delete(args, key)),
  ];
}
