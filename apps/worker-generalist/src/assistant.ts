import type { AgentTemplate } from '@cadre/contracts';
import type { z } from 'zod';
import { generalist } from './generalist.js';

/**
 * For agents that people define at run time: works like the generalist, and may be granted all that touches no more than files, the context
 * store, messages and other agents.
 */
export const assistant: z.input<typeof AgentTemplate> = {
  name: 'assistant',
  description: 'An agent for texts and files of its own making; may be let use the context store, send messages, and give work to others.',
  tools: [
    ...['list_files', 'read_file', 'write_file'],
    ...['context_list', 'context_get', 'context_put', 'context_delete'],
    ...['send_message', 'read_messages', 'request_reply'],
    ...['ask_agent', 'delegate', 'hand_off'],
  ],
  defaults: { instructions: generalist.instructions, tools: ['list_files', 'read_file', 'write_file'] },
};
