/** The tools `context_put`, `context_get`, `context_list` and `context_delete` of one attempt. */
import type { Tool } from '@cadre/agents';
import { standardTool } from '../standard-tool.js';
import type { AttemptContext, ContextAnswer } from './attempt-context.js';
import { untilAnswered } from './until-answered.js';

/**
 * Reading changes nothing, and what was read is on record. A change is the same however often it is made under the key that the engine
 * gave.
 */
export function contextTools(context: AttemptContext): Tool[] {
  const noteWritten = (answer: ContextAnswer<'context_put'>) => (context.noteWritten(answer), answer);
  const noteRead = (answer: ContextAnswer<'context_get'>) => (context.noteRead(answer), answer);
  return [
    standardTool(
      'context_put',
      'idempotent',
      async (args, { key, signal }) => noteWritten(await untilAnswered(signal, () => context.put(args, key))),
      (_, answer) => void noteWritten(answer as ContextAnswer<'context_put'>),
    ),
    standardTool(
      'context_get',
      'none',
      async (args, { signal }) => noteRead(await untilAnswered(signal, () => context.get(args))),
      (_, answer) => void noteRead(answer as ContextAnswer<'context_get'>),
    ),
    standardTool('context_list', 'none', (args, { signal }) => untilAnswered(signal, () => context.list(args))),
    standardTool('context_delete', 'idempotent', (args, { key, signal }) => untilAnswered(signal, () => context.delete(args, key))),
  ];
}
