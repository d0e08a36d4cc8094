/**
 * The numbers in a refusal that speaks of tokens: how many the model writes at most, how many its window holds, how long the prompt is.
 * Wordings as in November 2026 of OpenAI, Anthropic (docs.claude.com/en/api/errors), vLLM (entrypoints/openai/serving_engine.py), llama.cpp
 * (tools/server), TGI (router/src/validation.rs), Groq, DeepSeek, Mistral, OpenRouter, Cohere, Bedrock and of FastAPI's validation; see the
 * spec.
 */
import { isObject } from '../reading/json-spans.js';
import type { ServerRefusal } from '../server-words.js';

/** The model writes no more than `most`. `passing`: of this moment, not of the model, as what the account can pay. */
export interface CapFault {
  kind: 'cap';
  most: number;
  passing?: true;
}
/** The cap is too large, and nothing says what would not be. */
interface UnnamedCapFault {
  kind: 'cap-unnamed';
}
/** `window`: prompt and cap together do not fit. `too-long`: the prompt alone does not. */
export type WindowFault = { kind: 'window'; window: number; prompt?: number } | { kind: 'too-long'; window?: number; prompt?: number };
export type TokenFault = CapFault | UnnamedCapFault | WindowFault;

/** What is left for the answer must be worth a call. */
const LEAST_ROOM = 16;
const NUMBER = String.raw`(?<![\w.-])(\d{1,3}(?:[,_]\d{3})+|\d+)(?![\w-]|\.\d)`;
const ofTokens = (before: string, after = '') => new RegExp(`${before}${NUMBER}${after}`, 'i');

const CAP_NAMES =
  /max_?(?:completion_|output_|new_)?_?tokens|maxOutputTokens|max(?:imum)? tokens|completion tokens|output tokens|max_new_tokens/i;
const WINDOW_NAMES =
  /context.{0,3}(?:length|window|size|limit)|maximum (?:model|context|sequence) length|max_model_len|`?inputs`? (?:tokens|must have)|maximum allowed number of input/i;
const TOO_LONG =
  /prompt is too long|too many (?:input )?tokens|input (?:is|length).{0,20} too (?:long|large)|reduce the length of the (?:input|messages|prompt)|longer than the maximum|exceeds? the (?:available|maximum|model'?s?) (?:context|input|number of tokens)/i;

const WINDOWS = [
  ofTokens(String.raw`\d+ \+ \d+ > `),
  ofTokens(
    String.raw`(?:context.{0,3}(?:length|window|size|limit)|(?:model|sequence) length)(?: (?:is|of|limit is|size is))?(?: only)?:? ?\(?`,
  ),
  ofTokens(String.raw`must be <= ?`),
  ofTokens('', String.raw` (?:tokens? )?(?:maximum|max) (?:context|model)`),
  ofTokens(String.raw`maximum (?:allowed )?number of (?:input )?tokens(?: allowed)? \(?`),
  ofTokens(String.raw`tokens > `, ' maximum'),
  ofTokens('(?:must have|should have) less than '),
];
const PROMPTS = [
  ofTokens('', String.raw` \+ \d+ > \d+`),
  ofTokens('', String.raw` (?:tokens )?(?:in|of|from) (?:the |your )?(?:messages|prompt|text input|input)`),
  ofTokens('', ' (?:`?inputs?`?|prompt) tokens'),
  ofTokens(
    String.raw`(?:prompt|messages|request|input)(?: (?:contains|has|length|token count|resulted in|is))*[ :]*(?:is )?(?:at least )?\(?(?:too long: )?(?:length )?`,
  ),
  ofTokens('Given: '),
];
const REQUESTED = ofTokens(String.raw`requested (?:about |a total of )?`);
const WERE_REQUESTED = ofTokens('', ' (?:tokens )?were requested');
const CAPS = [
  ofTokens(
    String.raw`(?:at most|up to|no more than|less than or equal to|not exceed|<=|limit of|limited to|maximum (?:value )?(?:of|is|allowed is))[ \x60'"]*`,
  ),
  ofTokens(String.raw`\[\s*\d+\s*,\s*`),
  ofTokens(String.raw`> `, ', which is the maximum'),
  ofTokens(String.raw`(?:between|from) \d+ (?:\(inclusive\) )?(?:and|to) `),
  ofTokens(String.raw`can only afford `),
];
const TOO_LARGE = /too (?:large|high|big|many)|exceed|above the (?:maximum|limit)|out of range|greater than/i;
const BELOW = /(?:lower|less|smaller) than [\x60'\"]?\d|\d \(exclusive\)/i;

/** @param cap what was asked for as the most that the model may write @returns undefined: it speaks of something else */
export function tokenFault(refusal: ServerRefusal, cap: number): TokenFault | undefined {
  const byField = ofFields(refusal, cap);
  if (byField) return byField;
  const { words } = refusal;
  const affordable = /can only afford/i.test(words) ? ofCap(words, cap) : undefined;
  if (affordable) return { ...affordable, passing: true };
  const speaksOfWindow =
    WINDOW_NAMES.test(words) || TOO_LONG.test(words) || refusal.kinds.some((kind) => /context_(length|size)/.test(kind));
  // Groq names the window in what it says of the cap, and OpenAI the cap in what it says of the window.
  const ofOutput = CAP_NAMES.test(words) ? ofCap(words, cap) : undefined;
  const ofInput = speaksOfWindow ? ofWindow(words, cap) : undefined;
  if (ofInput?.window !== undefined && (ofInput.prompt !== undefined || !ofOutput)) return ofInput;
  if (ofOutput ?? ofInput) return ofOutput ?? ofInput;
  return CAP_NAMES.test(words) && TOO_LARGE.test(words) ? { kind: 'cap-unnamed' } : undefined;
}

function ofWindow(words: string, cap: number): WindowFault {
  const window = firstOf(WINDOWS, words);
  const asked = firstOf([REQUESTED, WERE_REQUESTED], words);
  const prompt = firstOf(PROMPTS, words) ?? (asked !== undefined && asked > cap ? asked - cap : undefined);
  return fit(window, prompt === window ? undefined : prompt, cap);
}

function fit(window: number | undefined, prompt: number | undefined, cap: number): WindowFault {
  const known = { ...(window !== undefined && { window }), ...(prompt !== undefined && { prompt }) };
  if (window === undefined || window < LEAST_ROOM) return { kind: 'too-long', ...known };
  if (prompt !== undefined)
    return window - prompt >= LEAST_ROOM && prompt + cap > window ? { kind: 'window', window, prompt } : { kind: 'too-long', ...known };
  // Not told how long the prompt is: only a cap that takes most of the window can be at fault.
  return cap * 2 > window ? { kind: 'window', window } : { kind: 'too-long', window };
}

function ofCap(words: string, cap: number): CapFault | undefined {
  const less = BELOW.test(words) ? 1 : 0;
  const named = CAPS.map((pattern) => firstOf([pattern], words)).find((number) => number !== undefined && number - less < cap);
  const most = (named ?? largestBelow(words, cap + less) ?? 0) - less;
  return most >= 1 ? { kind: 'cap', most } : undefined;
}

/** FastAPI tells place and bound; llama.cpp the length of the prompt and of the window. */
function ofFields({ body, fields }: ServerRefusal, cap: number): TokenFault | undefined {
  const { n_ctx: window, n_prompt_tokens: prompt } = fields;
  if (typeof window === 'number' && typeof prompt === 'number') return fit(window, prompt, cap);
  const details = isObject(body) && Array.isArray(body['detail']) ? body['detail'].filter(isObject) : [];
  for (const { loc, ctx } of details) {
    if (!Array.isArray(loc) || !loc.some((part) => CAP_NAMES.test(String(part))) || !isObject(ctx)) continue;
    const most = typeof ctx['le'] === 'number' ? ctx['le'] : typeof ctx['lt'] === 'number' ? ctx['lt'] - 1 : undefined;
    if (most !== undefined && most >= 1 && most < cap) return { kind: 'cap', most };
  }
  return undefined;
}

function firstOf(patterns: readonly RegExp[], words: string): number | undefined {
  for (const pattern of patterns) {
    const found = pattern.exec(words)?.[1];
    if (found !== undefined) return numberOf(found);
  }
  return undefined;
}

function largestBelow(words: string, cap: number): number | undefined {
  const numbers = [...words.matchAll(new RegExp(NUMBER, 'g'))].map((match) => numberOf(match[1]!));
  const below = numbers.filter((number) => number < cap && number >= LEAST_ROOM);
  return below.length > 0 ? Math.max(...below) : undefined;
}

function numberOf(text: string): number {
  return Number(text.replace(/[,_]/g, ''));
}
