/**
 * What of a request a refusal is about. A refusal changes only what it names; one that names nothing leads to the form that most servers
 * take, for this one request. Wordings as servers had them in November 2026, by name in the spec.
 */
import type { Dialect } from '../dialect.js';
import type { ServerRefusal } from '../server-words.js';

/** What the request held. */
export interface SentParts {
  dialect: Dialect;
  format: boolean;
  effort: boolean;
  tools: boolean;
  opaque: boolean;
}

export interface Change {
  to: Partial<Dialect>;
  /** The refusal has named it, so it is the cause if the next request works. */
  named: boolean;
}

/** The server's content filter turned the request away. */
export function isFiltered({ kinds, words }: ServerRefusal): boolean {
  if (kinds.some((kind) => /^content_(filter|policy_violation)$/.test(kind))) return true;
  return /content (management|filter(ing)?) policy|content.?policy violation/i.test(words);
}

export function isWithoutTools({ words }: ServerRefusal): boolean {
  return /--enable-auto-tool-choice|(does|do) not support (tools?|function.?call|tool.?(use|call))|support tool use|tools? (is|are) not supported|tool.?calling is not supported/i.test(
    words,
  );
}

const NOT_TAKEN =
  /not (?:support|allow|permit|available|implement|recogni)|un(?:support|recogni|known|expected)|invalid|extra (?:input|field|param)|cannot|must be|does(?:n't| not) support|only support|no longer/i;

/** @returns undefined: the request itself is at fault, or there is nothing left to change */
export function refusedPart(refusal: ServerRefusal, sent: SentParts): Change | undefined {
  const { status } = refusal;
  if (isFiltered(refusal) || isWithoutTools(refusal)) return undefined;
  if (status === 400 || status === 422) return namedPart(refusal, sent) ?? (saysNothing(refusal) ? mostTaken(sent) : undefined);
  if (status === 500 || status === 501) return withPlainerSchemas(refusal, sent);
  return undefined;
}

type Reading = (refusal: ServerRefusal, sent: SentParts) => Change | undefined;

const READINGS: readonly Reading[] = [
  ofCapName,
  ofStream,
  ofCallIds,
  ofToolNames,
  ofMissingThoughts,
  ofOpaqueFields,
  ofSimpleParts,
  withPlainerSchemas,
  ofFormat,
  ofBareTurns,
];

function namedPart(refusal: ServerRefusal, sent: SentParts): Change | undefined {
  for (const reading of READINGS) {
    const change = reading(refusal, sent);
    if (change) return change;
  }
  return undefined;
}

function to(change: Partial<Dialect>): Change {
  return { to: change, named: true };
}

/** "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead" (OpenAI), and the other way round. */
function ofCapName({ words, param }: ServerRefusal, { dialect }: SentParts): Change | undefined {
  const other = dialect.maxTokens === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
  const speaksOf = (name: string) => param === name || new RegExp(`(?<![a-z_])${name}(?![a-z_])`).test(words);
  return speaksOf(dialect.maxTokens) && (NOT_TAKEN.test(words) || speaksOf(other)) ? to({ maxTokens: other }) : undefined;
}

function ofStream({ words }: ServerRefusal, { dialect }: SentParts): Change | undefined {
  if (dialect.stream === 'none' || !/\bstream/i.test(words)) return undefined;
  if (/stream_options|include_usage/i.test(words) && dialect.stream === 'usage') return to({ stream: 'plain' });
  return NOT_TAKEN.test(words) ? to({ stream: 'none' }) : undefined;
}

/** Mistral's nine letters, OpenAI's 40 characters (`messages[1].tool_calls[0].id`). */
function ofCallIds({ words, param }: ServerRefusal, { dialect }: SentParts): Change | undefined {
  if (dialect.ids === 'made') return undefined;
  return /tool.?call.?id|tool_calls?\S*\.id\b|tool_use\S*\.id\b/i.test(`${words} ${param ?? ''}`) ? to({ ids: 'made' }) : undefined;
}

/** Gemini's compatible endpoint: "function_response.name: Name cannot be empty". */
function ofToolNames({ words }: ServerRefusal, { dialect }: SentParts): Change | undefined {
  return !dialect.toolNames && /function_?response\.name/i.test(words) ? to({ toolNames: true }) : undefined;
}

/**
 * A turn of another model, or one without thoughts: DeepSeek takes an empty `reasoning_content`, Gemini a mark in place of the signature.
 */
function ofMissingThoughts({ words }: ServerRefusal, { dialect }: SentParts): Change | undefined {
  if (dialect.noThoughts !== 'nothing') return undefined;
  if (/missing.{0,40}thought_signature/i.test(words)) return to({ noThoughts: 'unsigned' });
  const misses =
    /(missing|must (also )?be passed back|is required).{0,80}reasoning_content|reasoning_content.{0,80}(missing|must be passed back|is required)/i;
  return misses.test(words) ? to({ noThoughts: 'empty' }) : undefined;
}

/** A server that takes no reasoning in what it is sent. One that misses it says so with other words. */
function ofOpaqueFields({ words }: ServerRefusal, { dialect, opaque }: SentParts): Change | undefined {
  // OpenAI, of models that do not think.
  if (dialect.opaque && /encrypted.content/i.test(words)) return to({ opaque: false });
  if (!dialect.opaque || !opaque || /missing|must be (passed|provided|present)|required/i.test(words)) return undefined;
  const speaks =
    /reasoning_(content|details)|extra_content|thought_signature|provider_specific|messages?\S*[.\]]reasoning|reasoning\S* (field|in the input)/i.test(
      words,
    );
  return speaks || (/messages/i.test(words) && /extra (inputs?|fields?)|additional propert|unrecognized/i.test(words))
    ? to({ opaque: false })
    : undefined;
}

function ofSimpleParts({ words, param }: ServerRefusal, { dialect, effort }: SentParts): Change | undefined {
  const said = `${words} ${param ?? ''}`;
  if (effort && dialect.effort && /reasoning[_. ]?effort|reasoning\.effort/i.test(said)) return to({ effort: false });
  if (dialect.temperature && /temperature/i.test(said)) return to({ temperature: false });
  if (
    dialect.system === 'system' &&
    /(system|developer).{0,30}(role|message|prompt|instruction)?.{0,20}not (supported|enabled|allowed)|role.{0,20}system.{0,30}(not|invalid|unsupported)/i.test(
      said,
    )
  )
    return to({ system: 'user' });
  if (dialect.turns === 'as-they-are' && /roles? must alternate|alternate between|must alternate/i.test(said))
    return to({ turns: 'alternating' });
  return undefined;
}

const OF_SCHEMAS =
  /grammar|schema|unknown (name|field|keyword)|cannot find field|unrecognized keyword|\$ref|\$defs|additionalProperties|propertyNames|exclusiveM|patternProperties|\bpattern\b|\bconst\b|repetition|tools?(\[\d+\]|\.\d+)?\.?(function)?\.?(parameters|input_schema)|function.{0,20}parameters|input_schema/i;
const OF_FORMAT_ITSELF =
  /(response_format|json_schema|structured.?outputs?|json mode)['"`]?[^.]{0,60}(is|are)? ?(not|un)[ -]?(support|available|allow|permit|implement|recogni)|response_format\.type|does(n't| not) support[^.]{0,40}(response_format|json_schema|json_object|structured)/i;

/** Speaks of grammar, schema, or a field that it does not know. */
function withPlainerSchemas({ words }: ServerRefusal, { dialect, tools, format }: SentParts): Change | undefined {
  const sends = tools || (format && dialect.format === 'schema');
  if (!sends || dialect.schemas === 'plainest' || OF_FORMAT_ITSELF.test(words)) return undefined;
  return OF_SCHEMAS.test(words) ? to({ schemas: 'plainest' }) : undefined;
}

function ofFormat({ words, param }: ServerRefusal, { dialect, format }: SentParts): Change | undefined {
  if (!format || dialect.format === 'none') return undefined;
  const said = `${words} ${param ?? ''}`;
  // Gemini: "Function calling with a response mime type: 'application/json' is unsupported".
  if (/application\/json/i.test(said)) return to({ format: 'none' });
  if (!/response_?format|json_?schema|json_?object|structured.?output|json.?mode|guided|grammar|schema/i.test(said)) return undefined;
  return to({ format: dialect.format === 'schema' ? 'object' : 'none' });
}

function ofBareTurns({ words }: ServerRefusal, { dialect }: SentParts): Change | undefined {
  const speaks = /(?<![a-z_])content\b.{0,40}(null|none|nil|valid string|expected (a )?string|required|missing)/i.test(words);
  return dialect.bare === 'null' && speaks ? to({ bare: 'text' }) : undefined;
}

const EMPTY_WORDS =
  /^(?:\W|bad|invalid|request|error|errors|unprocessable|entity|content|param(?:eter)?s?|input|inputs|body|provider|returned|upstream|server|client|failed|failure|could|not|be|processed|the|is|was|an?|in|of|your|to|malformed|badrequesterror|validation|status|code|\d{3})*$/i;

function saysNothing({ words, param }: ServerRefusal): boolean {
  return param === undefined && EMPTY_WORDS.test(words);
}

/** What most servers take: tried once, all at a time. */
function mostTaken({ dialect, format, effort, tools }: SentParts): Change | undefined {
  const change: Partial<Dialect> = {
    ...(format && dialect.format !== 'none' && { format: 'none' as const }),
    ...(effort && dialect.effort && { effort: false }),
    ...(tools && dialect.schemas !== 'plainest' && { schemas: 'plainest' as const }),
    ...(dialect.stream !== 'none' && { stream: 'none' as const }),
  };
  return Object.keys(change).length > 0 ? { to: change, named: false } : undefined;
}
