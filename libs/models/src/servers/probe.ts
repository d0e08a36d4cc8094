/** Tries a model as agents use it: one call that wants a tool, and one that wants an answer in a format. */
import type { ModelPort, ModelRequest } from '@cadre/agents';
import { CadreError } from '@cadre/contracts';

/** `ok`: as asked for. `ignored`: it answered, but otherwise. */
export type ProbeOutcome = { kind: 'ok' } | { kind: 'ignored'; answer: string } | { kind: 'failed'; error: CadreError };

export interface Probe {
  tool: ProbeOutcome;
  format: ProbeOutcome;
  /** Of the calls that were answered; undefined: none was, or no price is known. */
  costMicros?: number;
  tookMs: number;
}

const OUTPUT_TOKENS = 2000;

function question(model: string, text: string): ModelRequest {
  return { model, temperature: 0, maxOutputTokens: OUTPUT_TOKENS, messages: [{ role: 'user', text }], tools: [] };
}

const TOOL = {
  name: 'report_number',
  description: 'Reports a number to the user.',
  parameters: { type: 'object', properties: { number: { type: 'integer' } }, required: ['number'], additionalProperties: false },
};
const FORMAT = {
  name: 'reply',
  schema: { type: 'object', properties: { number: { type: 'integer' } }, required: ['number'], additionalProperties: false },
};

/** Never rejects for what the server does. */
export async function probeModel(port: ModelPort, model: string, signal: AbortSignal, now: () => number): Promise<Probe> {
  const began = now();
  let costMicros: number | undefined;
  const outcome = async (request: ModelRequest, isRight: (reply: { text: string; called: string[] }) => boolean): Promise<ProbeOutcome> => {
    try {
      const reply = await port.complete(request, signal);
      if (reply.priced) costMicros = (costMicros ?? 0) + reply.costMicros;
      const called = reply.toolCalls.map(({ name }) => name);
      return isRight({ text: reply.text, called }) ? { kind: 'ok' } : { kind: 'ignored', answer: reply.text.slice(0, 200) };
    } catch (error) {
      if (!(error instanceof CadreError)) throw error;
      return { kind: 'failed', error };
    }
  };
  const tool = await outcome({ ...question(model, `Call the tool ${TOOL.name} with the number 7.`), tools: [TOOL] }, ({ called }) =>
    called.includes(TOOL.name),
  );
  const format = await outcome(
    { ...question(model, 'Answer with the JSON object {"number": 7} and nothing else.'), responseSchema: FORMAT },
    ({ text }) => isFormat(text),
  );
  return { tool, format, tookMs: now() - began, ...(costMicros !== undefined && { costMicros }) };
}

function isFormat(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && Number.isInteger((value as { number?: unknown }).number);
  } catch {
    return false;
  }
}
