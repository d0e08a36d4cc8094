/** The message tools for agents that are code: made as recorded calls, like those of a model, and only those that the agent was granted. */
import type { Work } from '@cadre/agents';
import { CadreError, TOOLS, type Json, type ToolResult } from '@cadre/contracts';
import type { z } from 'zod';
import type { AttemptMessages, MESSAGE_TOOLS } from './attempt-messages.js';

type MessageTool = (typeof MESSAGE_TOOLS)[number];
type Given<N extends MessageTool> = z.input<(typeof TOOLS)[N]['args']>;

/** Errors of all methods: `tool-not-granted`; those of the message desk; the attempt's end. */
export interface CodeMessages {
  send(message: Given<'send_message'>): Promise<ToolResult<'send_message'>>;
  /** Of a channel that is not durable: what has come in since any of these was first used. */
  read(what: Given<'read_messages'>): Promise<ToolResult<'read_messages'>>;
  request(message: Given<'request_reply'>): Promise<ToolResult<'request_reply'>>;
}

/** @param open called when it is first needed */
export function codeMessages(work: Work, open: () => Promise<AttemptMessages>): CodeMessages {
  const use = async <N extends MessageTool>(name: N, given: Given<N>): Promise<ToolResult<N>> => {
    const { agent, assignment, calls } = work;
    if (!assignment.tools.includes(name)) {
      const remedy = 'name it in the tools of its definition';
      throw new CadreError('tool-not-granted', `The agent ${agent.name} was not granted the tool ${name}.`, { remedy });
    }
    const tool = (await open()).tools().find((each) => each.name === name);
    if (tool === undefined) throw new TypeError(`there is no tool ${name}`);
    const input = TOOLS[name].args.parse(given);
    const result = await calls.call({ name, effect: tool.effect, input: input as Json, run: (context) => tool.run(input, context) });
    return result as ToolResult<N>;
  };
  return {
    send: (message) => use('send_message', message),
    read: (what) => use('read_messages', what),
    request: (message) => use('request_reply', message),
  };
}
