/** The context store for an agent that is code: the same calls as the tools', recorded as theirs are. */
import type { CallDesk } from '@cadre/agents';
import { TOOLS } from '@cadre/contracts';
import type { Json } from '@cadre/contracts';
import type { z } from 'zod';
import type { AttemptContext, ContextAnswer, ContextToolName } from './attempt-context.js';
import { untilAnswered } from './until-answered.js';

type Input<N extends ContextToolName> = z.input<(typeof TOOLS)[N]['args']>;

/**
 * What is refused (another version, no grant, nothing there) is an answer with `error` and `refusal`. The agent must be granted the tool of
 * each call.
 */
export interface ContextCalls {
  put(args: Input<'context_put'>): Promise<ContextAnswer<'context_put'>>;
  get(args: Input<'context_get'>): Promise<ContextAnswer<'context_get'>>;
  list(args?: Input<'context_list'>): Promise<ContextAnswer<'context_list'>>;
  delete(args: Input<'context_delete'>): Promise<ContextAnswer<'context_delete'>>;
}

export function contextCalls(context: AttemptContext, calls: CallDesk): ContextCalls {
  const made = async <N extends ContextToolName>(
    name: N,
    args: z.output<(typeof TOOLS)[N]['args']>,
    effect: 'none' | 'idempotent',
    run: (key: string) => Promise<ContextAnswer<N>>,
  ): Promise<ContextAnswer<N>> => {
    const input = args as Json;
    return (await calls.call({
      name,
      effect,
      input,
      run: async ({ key, signal }) => (await untilAnswered(signal, () => run(key))) as Json,
    })) as ContextAnswer<N>;
  };
  return {
    put: async (given) => {
      const args = TOOLS.context_put.args.parse(given);
      const answer = await made('context_put', args, 'idempotent', (key) => context.put(args, key));
      context.noteWritten(answer);
      return answer;
    },
    get: async (given) => {
      const args = TOOLS.context_get.args.parse(given);
      const answer = await made('context_get', args, 'none', () => context.get(args));
      context.noteRead(answer);
      return answer;
    },
    list: async (given = {}) => {
      const args = TOOLS.context_list.args.parse(given);
      return made('context_list', args, 'none', () => context.list(args));
    },
    delete: async (given) => {
      const args = TOOLS.context_delete.args.parse(given);
      return made('context_delete', args, 'idempotent', (key) => context.delete(args, key));
    },
  };
}
