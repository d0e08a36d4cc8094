/** The tool `recall_memory` of one attempt. Who asks is known from the assignment, not from what a model says. */
import type { Tool, Work } from '@cadre/agents';
import { newestWithin } from '@cadre/engine';
import type { AgentMemories } from '@cadre/engine';
import { untilAnswered } from '../context/until-answered.js';
import { standardTool } from '../standard-tool.js';

/** What a model gets of one memory, so that it fits into what a tool may answer. */
const ANSWER_BYTES = 40 * 1024;

export function recallTool(memories: AgentMemories, { assignment, agent: asker }: Pick<Work, 'assignment' | 'agent'>): Tool {
  const { tenant, runId } = assignment;
  return standardTool('recall_memory', 'none', async ({ agent }, { signal }) => {
    const found = await untilAnswered(signal, () => memories.recall({ tenant, runId, agent: asker.name }, agent));
    if (!found) {
      return { error: `There is no memory of ${agent} that you may read: it has none yet, or does not share it with ${asker.name}.` };
    }
    const { summary, messages, leftOut } = newestWithin(found, ANSWER_BYTES);
    return {
      agent,
      ...(summary !== undefined && { summary }),
      messages: messages.map(({ role, text, taskId, at }) => ({ role, text, taskId, at })),
      leftOut,
    };
  });
}
