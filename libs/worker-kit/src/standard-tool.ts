/** Makes a tool of the standard list: its name, description and arguments come from contracts, only the work is added. */
import type { Tool, ToolContext, ToolEffect } from '@cadre/agents';
import { READING_TOOLS, TOOLS } from '@cadre/contracts';
import type { Json, ToolArgs, ToolName, ToolResult } from '@cadre/contracts';
import type { z } from 'zod';

/**
 * @param effect what a call may do to the world outside the attempt's private workspace
 * @param recall see `Tool.recall`
 * @param run gets validated arguments; `{error}` says why it was not done; a thrown `CadreError` becomes the tool's answer `{error}`, with
 * its remedy
 */
export function standardTool<N extends ToolName>(
  name: N,
  effect: ToolEffect,
  run: (args: ToolArgs<N>, context: ToolContext) => Promise<ToolResult<N> | { error: string }>,
  recall?: (args: ToolArgs<N>, answer: ToolResult<N> | { error: string }) => void,
): Tool {
  const { description, args } = TOOLS[name];
  return {
    name,
    description,
    parameters: args as z.ZodType<unknown>,
    effect,
    reads: READING_TOOLS.includes(name),
    run: async (input, context) => (await run(input as ToolArgs<N>, context)) as Json,
    ...(recall && { recall: (input: unknown, answer: Json) => recall(input as ToolArgs<N>, answer as ToolResult<N>) }),
  };
}
