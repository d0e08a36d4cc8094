/**
 * An upper bound for the tokens of a request, without the model's tokenizer.
 *
 * The tokenizers of chat models (byte pair encoding over bytes, as tiktoken does it, and SentencePiece with byte fallback) part the UTF-8
 * bytes of a text into pieces of at least one byte each, so a text has at most as many tokens as bytes; English has about a quarter.
 * Some bring the text to Unicode's form C first, which can make it longer, so the longer of the two forms counts. A server frames each
 * message with a few special tokens, and writes tools and schemas into the prompt in a form of its own (indented JSON, or declarations),
 * with a text that explains their use (Anthropic documents 346 tokens for it); hence the allowances. A server that adds more than that to
 * what it is sent breaks the bound; the adapter warns of it when it sees the usage.
 */
import type { Extra, ModelMessage, ModelRequest } from '@cadre/agents';
import { plainSchema } from './plain-schema.js';

const ALLOWED_TOKENS = { request: 256, message: 16, toolCall: 32, toolUse: 1024, tool: 64 } as const;
/** What the server writes of a schema may be so many times as long as its JSON. */
const REWRITTEN = 2;

/** At most so many input tokens. */
export function maxInputTokens({ messages, tools, responseSchema }: ModelRequest): number {
  let tokens: number = ALLOWED_TOKENS.request;
  for (const message of messages) tokens += ALLOWED_TOKENS.message + messageBytes(message);
  if (tools.length > 0) tokens += ALLOWED_TOKENS.toolUse;
  for (const { parameters, ...tool } of tools)
    tokens += ALLOWED_TOKENS.tool + REWRITTEN * jsonBytes({ ...tool, parameters: plainSchema(parameters) });
  if (responseSchema) tokens += ALLOWED_TOKENS.tool + REWRITTEN * jsonBytes(plainSchema(responseSchema.schema));
  return tokens;
}

function messageBytes(message: ModelMessage): number {
  if (message.role === 'tool') return textBytes(message.toolCallId) + textBytes(message.text);
  if (message.role !== 'assistant') return textBytes(message.text);
  return message.toolCalls.reduce(
    (sum, { id, name, arguments: args, extra }) =>
      sum + ALLOWED_TOKENS.toolCall + textBytes(id) + textBytes(name) + textBytes(args) + extraBytes(extra),
    textBytes(message.text) + extraBytes(message.extra),
  );
}

function extraBytes(extra: Extra | undefined): number {
  return extra === undefined ? 0 : jsonBytes(extra);
}

function jsonBytes(value: unknown): number {
  return textBytes(JSON.stringify(value));
}

function textBytes(text: string): number {
  const bytes = Buffer.byteLength(text);
  return bytes === text.length ? bytes : Math.max(bytes, Buffer.byteLength(text.normalize('NFC')));
}
