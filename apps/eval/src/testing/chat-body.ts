/** What stand-ins read of a request for a chat completion. */

export interface ChatCall {
  id?: string;
  type?: 'function';
  function: { name: string; arguments: string };
  [field: string]: unknown;
}

export interface ChatMessage {
  role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  content?: string | { type: string; text?: string }[] | null;
  tool_calls?: ChatCall[];
  tool_call_id?: string;
  [field: string]: unknown;
}

export interface ChatBody {
  model: string;
  messages: ChatMessage[];
  tools?: { type: 'function'; function: { name: string; parameters?: unknown } }[];
  tool_choice?: unknown;
  response_format?: { type: string; json_schema?: { schema?: unknown } };
  max_tokens?: number;
  max_completion_tokens?: number;
  temperature?: number;
  stream?: boolean;
  stream_options?: { include_usage?: boolean };
  [field: string]: unknown;
}

export const callsOf = (body: ChatBody): ChatCall[] => body.messages.flatMap((message) => message.tool_calls ?? []);
export const resultsIn = (body: ChatBody): number => body.messages.filter(({ role }) => role === 'tool').length;
export const capOf = (body: ChatBody): number => body.max_completion_tokens ?? body.max_tokens ?? 0;
/** About as many tokens as a tokenizer would make of it. */
export const promptOf = (body: ChatBody): number => Math.ceil(JSON.stringify([body.messages, body.tools ?? []]).length / 4);
export const offers = (body: ChatBody, tool: string): boolean => (body.tools ?? []).some((each) => each.function.name === tool);

/** Whether a tool has answered with an error. */
export const wasRefused = (body: ChatBody): boolean =>
  body.messages.some(({ role, content }) => role === 'tool' && /"error"/.test(String(content)));

/** Where in the schemas that were sent a keyword stands that fits. */
export function keywordsIn(body: ChatBody, fits: (keyword: string, value: unknown) => boolean): string[] {
  const found: string[] = [];
  const walk = (value: unknown, at: string): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, each] of Object.entries(value)) {
      if (fits(key, each)) found.push(`${at}.${key}`);
      walk(each, `${at}.${key}`);
    }
  };
  for (const tool of body.tools ?? []) walk(tool.function.parameters, `tools.${tool.function.name}`);
  walk(body.response_format?.json_schema?.schema, 'response_format');
  return found;
}
