/** What the deterministic model says it thought, to those who ask for it: what it did, in plain words. */
import { parseJson, type Brief, type Conversation } from './conversation.js';
import type { ChatRequest } from './wire/request.js';

/** The last message of an agent, with its thoughts first if the schema of the reply has a place for them. */
export function withThoughts(reply: object, request: ChatRequest, conversation: Conversation, brief: Brief): object {
  return asksForThoughts(request) ? { thinking: thoughts(conversation, brief), ...reply } : reply;
}

function asksForThoughts({ response_format: format }: ChatRequest): boolean {
  const properties = format?.type === 'json_schema' ? format.json_schema.schema?.['properties'] : undefined;
  return typeof properties === 'object' && properties !== null && 'thinking' in properties;
}

function thoughts({ turns, lastUserText }: Conversation, { task, results, inputs }: Brief): object {
  const said = parseJson(lastUserText);
  const reviewed = typeof said === 'object' && said !== null && 'review' in said;
  return {
    steps: [
      `The task is "${task.title}".`,
      `At hand are ${inputs.length} input files and ${results.length} earlier results.`,
      ...(turns.length > 0 ? [`Looked with ${[...new Set(turns.map(({ name }) => name))].join(', ')}.`] : []),
    ],
    ...(reviewed && { reflection: 'Read the task and the answer again; nothing to correct.' }),
  };
}
