/** Between our messages and those of the OpenAI wire format. */
import type { ModelMessage, ModelReply, ModelRequest } from '@cadre/agents';
import type { ChatCompletionCreateParamsNonStreaming, ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { z } from 'zod';
import type { Dialect } from './dialect.js';

const tokens = z.number().nonnegative().transform(Math.round);

/** What we read of an answer; servers add and leave out much. */
export const Completion = z.object({
  model: z.string().min(1).optional(),
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({
          content: z.string().nullish(),
          refusal: z.string().nullish(),
          /** What servers of open models tell of their reasoning, under one name or the other. */
          reasoning_content: z.string().nullish().catch(undefined),
          reasoning: z.string().nullish().catch(undefined),
          tool_calls: z
            .array(
              z.object({
                id: z.string().nullish(),
                function: z.object({ name: z.string(), arguments: z.union([z.string(), z.record(z.string(), z.unknown())]).nullish() }),
              }),
            )
            .nullish(),
        }),
      }),
    )
    .min(1),
  usage: z
    .object({
      prompt_tokens: tokens,
      completion_tokens: tokens,
      completion_tokens_details: z.object({ reasoning_tokens: tokens.nullish() }).nullish().catch(undefined),
      prompt_tokens_details: z.object({ cached_tokens: tokens.nullish() }).nullish(),
    })
    .nullish()
    .catch(undefined),
});
export type Completion = z.infer<typeof Completion>;

/** The body of a request in the given dialect. */
export function requestBody(request: ModelRequest, model: string, dialect: Dialect): ChatCompletionCreateParamsNonStreaming {
  const format = responseFormat(request, dialect);
  return {
    model,
    messages: request.messages.map(wireMessage),
    [dialect.maxTokens]: request.maxOutputTokens,
    ...(dialect.temperature && { temperature: request.temperature }),
    ...(request.effort !== undefined && dialect.effort && { reasoning_effort: request.effort }),
    ...(request.tools.length > 0 && { tools: request.tools.map((tool) => ({ type: 'function' as const, function: { ...tool } })) }),
    ...(format && { response_format: format }),
  };
}

function responseFormat(request: ModelRequest, dialect: Dialect): ChatCompletionCreateParamsNonStreaming['response_format'] {
  if (!request.responseSchema || dialect.format === 'none') return undefined;
  if (dialect.format === 'object') return { type: 'json_object' };
  // Not strict: strict schemas allow no optional fields.
  return { type: 'json_schema', json_schema: { name: request.responseSchema.name, schema: request.responseSchema.schema, strict: false } };
}

function wireMessage(message: ModelMessage): ChatCompletionMessageParam {
  switch (message.role) {
    case 'tool':
      return { role: 'tool', tool_call_id: message.toolCallId, content: message.text };
    case 'assistant':
      return {
        role: 'assistant',
        content: message.text,
        ...(message.toolCalls.length > 0 && {
          tool_calls: message.toolCalls.map((call) => ({
            id: call.id,
            type: 'function' as const,
            function: { name: call.name, arguments: call.arguments },
          })),
        }),
      };
    default:
      return { role: message.role, content: message.text };
  }
}

/** Text, tool calls, finish and reasoning of an answer. */
export function readChoice(completion: Completion): Pick<ModelReply, 'text' | 'toolCalls' | 'finish' | 'reasoning' | 'reasoningTokens'> {
  const { message, finish_reason } = completion.choices[0]!;
  const toolCalls = (message.tool_calls ?? []).map((call) => {
    const args = call.function.arguments ?? '{}';
    return { id: call.id ?? '', name: call.function.name, arguments: typeof args === 'string' ? args : JSON.stringify(args) };
  });
  if (message.refusal || finish_reason === 'content_filter') {
    return { text: message.refusal || 'The content filter of the model server stopped the answer.', toolCalls: [], finish: 'refusal' };
  }
  const finish = finish_reason === 'length' ? 'length' : toolCalls.length > 0 ? 'tool-calls' : 'stop';
  const { thoughts, text } = withoutThoughts(message.content ?? '');
  const reasoning = message.reasoning_content || message.reasoning || thoughts;
  const reasoningTokens = completion.usage?.completion_tokens_details?.reasoning_tokens;
  return { text, toolCalls, finish, ...(reasoning && { reasoning }), ...(typeof reasoningTokens === 'number' && { reasoningTokens }) };
}

/** Some open models put their reasoning in front of the answer. */
function withoutThoughts(content: string): { thoughts: string; text: string } {
  const found = /^\s*<think>([\s\S]*?)<\/think>\s*/.exec(content);
  return found ? { thoughts: (found[1] ?? '').trim(), text: content.slice(found[0].length) } : { thoughts: '', text: content };
}
