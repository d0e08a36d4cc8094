/**
 * An agent's answer as the data that its task asks for. Each field is filled from what the agent's tools have said, by the field's name and
 * type. What was not found is left out where it may be, else the answer says so in words: it then does not fit, and the task fails with
 * them. No figure is made up.
 */
import type { AgentReply, Json, ResultSchema } from '@cadre/contracts';
import type { Brief, Conversation } from '../conversation.js';
import { KnownFacts, wordsOfName, type Scalar } from './known-facts.js';

type Schema = Record<string, Json>;

const TEXTS = /^(answer|text|summary|report|finding|findings|reason|description|note|notes|result|message|comment|explanation|review)$/;
const FILES = /^(files|paths|artifacts|written)$/;
const DONE = /^(done|complete|completed|finished)$/;

/** @param reply what the agent would have answered without a schema */
export function fittedAnswer(reply: AgentReply, schema: ResultSchema, brief: Brief, conversation: Conversation): AgentReply {
  const filling = new Filling(reply, conversation);
  const value = filling.value(schema, []);
  if (value !== undefined) return { ...reply, answer: typeof value === 'string' ? value : JSON.stringify(value) };
  const what = [...filling.unknown].slice(0, 5).join(', ');
  const answer = `"${brief.task.title}" asks for ${what}, and no tool has said that. Without a language model nothing is put in its place.`;
  return { answer, confidence: 0.1, missing: [`${what} of "${brief.task.title}"`.slice(0, 300)] };
}

class Filling {
  /** Paths of fields that have to be there and were not found. */
  readonly unknown = new Set<string>();
  readonly #facts: KnownFacts;

  constructor(
    private readonly reply: AgentReply,
    private readonly conversation: Conversation,
  ) {
    this.#facts = new KnownFacts(conversation);
  }

  /** Undefined where it is not known. @param path names of the fields from the outermost on */
  value(schema: Json, path: readonly string[]): Json | undefined {
    if (!isSchema(schema)) return this.lacks(path);
    if (schema['const'] !== undefined) return schema['const'];
    if (Array.isArray(schema['enum'])) return this.among(schema['enum'], path);
    if (Array.isArray(schema['anyOf'])) return this.either(schema['anyOf'], path);
    const types = typesOf(schema);
    const before = this.unknown.size;
    for (const type of types.filter((each) => each !== 'null')) {
      const found = this.ofType(type, schema, path);
      if (found !== undefined) return found;
    }
    if (types.includes('null')) return null;
    // What lacks within it is said already.
    return this.unknown.size > before ? undefined : this.lacks(path);
  }

  /** A form with a value; "nothing" only where no other form has one. */
  private either(forms: readonly Json[], path: readonly string[]): Json | undefined {
    const before = new Set(this.unknown);
    const values = forms.map((each) => this.value(each, path)).filter((value) => value !== undefined);
    const value = values.find((each) => each !== null) ?? values[0];
    if (value === undefined) return this.lacks(path);
    for (const each of this.unknown) if (!before.has(each)) this.unknown.delete(each);
    return value;
  }

  private among(choices: readonly Json[], path: readonly string[]): Json | undefined {
    const fact = this.fact(path, (value) => choices.includes(value));
    return fact ?? (choices.length === 1 ? choices[0] : undefined) ?? this.lacks(path);
  }

  private ofType(type: Json, schema: Schema, path: readonly string[]): Json | undefined {
    const name = path.at(-1) ?? 'answer';
    if (type === 'object') return this.object(schema, path);
    if (type === 'array') return this.list(schema, name);
    if (type === 'boolean') {
      if (DONE.test(name)) return (this.reply.missing ?? []).length === 0;
      return this.fact(path, (value) => typeof value === 'boolean');
    }
    if (type === 'string') return this.text(schema, path, name);
    const isWanted = (value: Scalar): boolean =>
      typeof value === 'number' && (type === 'number' || Number.isInteger(value)) && isWithin(value, schema);
    return name === 'confidence' && type === 'number' ? this.reply.confidence : this.fact(path, isWanted);
  }

  private text(schema: Schema, path: readonly string[], name: string): string | undefined {
    const { minLength = 0, maxLength = Infinity } = schema as { minLength?: number; maxLength?: number };
    const fits = (value: Scalar): value is string => typeof value === 'string' && value.length >= minLength && value.length <= maxLength;
    if (!TEXTS.test(name)) return this.fact(path, fits) as string | undefined;
    return [this.reply.answer, this.reply.answer.slice(0, maxLength)].find(fits);
  }

  private object(schema: Schema, path: readonly string[]): Json | undefined {
    const properties = isSchema(schema['properties']) ? schema['properties'] : {};
    const required = Array.isArray(schema['required']) ? schema['required'].map(String) : [];
    const fields: [string, Json][] = [];
    let isWhole = true;
    for (const name of new Set([...Object.keys(properties), ...required])) {
      const before = new Set(this.unknown);
      const value = this.value(properties[name] ?? ANY_SCALAR, [...path, name]);
      if (value !== undefined) fields.push([name, value]);
      else if (required.includes(name)) isWhole = false;
      else for (const each of this.unknown) if (!before.has(each)) this.unknown.delete(each);
    }
    return isWhole && (fields.length > 0 || path.length > 0 || required.length === 0) ? Object.fromEntries(fields) : undefined;
  }

  /** Names of files that were written; other lists are not known. */
  private list({ items, minItems = 0 }: Schema, name: string): Json | undefined {
    const ofTexts = items === undefined || (isSchema(items) && typesOf(items).includes('string'));
    if (!FILES.test(name) || !ofTexts) return undefined;
    const written = this.conversation.turns.flatMap(({ name: tool, result }) => {
      const { path } = (result ?? {}) as { path?: unknown };
      return (tool === 'write_file' || tool === 'draw_chart') && typeof path === 'string' ? [path] : [];
    });
    const files = [...new Set(written)];
    return files.length >= Number(minItems) ? files : undefined;
  }

  private fact(path: readonly string[], fits: (value: Scalar) => boolean): Scalar | undefined {
    const words = path.map(wordsOfName);
    // The path says most; a wrapper such as "result" around it says nothing of the value.
    return (
      this.#facts.find(words.flat(), fits) ?? this.#facts.find(words.at(-1) ?? [], path.length > 1 && isQualified(path) ? never : fits)
    );
  }

  private lacks(path: readonly string[]): undefined {
    this.unknown.add(path.length === 0 ? 'an answer of a certain form' : path.join('.'));
  }
}

const never = (): boolean => false;
/** Fields around others that do not say of what they are. */
const WRAPPERS = /^(result|results|data|figures|stats|statistics|facts|values|overview)$/i;
const isQualified = (path: readonly string[]): boolean => path.slice(0, -1).some((name) => !WRAPPERS.test(name));
const ANY_SCALAR: Schema = { type: ['string', 'number', 'boolean'] };

const isSchema = (value: Json | undefined): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value);

function typesOf({ type, properties, items, required }: Schema): readonly Json[] {
  if (type !== undefined) return Array.isArray(type) ? type : [type];
  if (properties !== undefined || required !== undefined) return ['object'];
  return items === undefined ? ['string', 'number', 'boolean'] : ['array'];
}

function isWithin(value: number, schema: Schema): boolean {
  const {
    minimum = -Infinity,
    maximum = Infinity,
    exclusiveMinimum = -Infinity,
    exclusiveMaximum = Infinity,
  } = schema as Record<string, number>;
  return value >= minimum && value <= maximum && value > exclusiveMinimum && value < exclusiveMaximum;
}
