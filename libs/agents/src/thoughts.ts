/**
 * What a thinking agent is told, and what it has thought: counted against its budget, and kept apart from its answer. Like the loop, it
 * depends on nothing but the definition and the replies, so that a later attempt comes to the same.
 */
import { ThoughtReply } from '@cadre/contracts';
import type { ReasoningEffort, Thinking, ThinkingTrace } from '@cadre/contracts';
import { shorten } from './shorten.js';
import { objectsIn } from './loose-json.js';
import { present } from './present.js';
import type { ModelReply } from './ports.js';

const CHARACTERS_PER_TOKEN = 4;
const MAX_STEPS = 50;
const MAX_ALTERNATIVES = 10;
const MAX_TEXT = 4000;
const MAX_NOTE = 500;

type Round = ThinkingTrace['rounds'][number];

/** The thoughts of one attempt. */
export class Thoughts {
  private readonly rounds: Round[] = [];
  private readonly reasoning: ThinkingTrace['reasoning'] = [];
  private tokens = 0;
  private note: string | undefined;

  constructor(private readonly wanted: Thinking) {}

  /** Tokens left of the budget. */
  get left(): number {
    return Math.max(0, this.wanted.maxThinkingTokens - this.tokens);
  }

  /** What the model server is asked for: over the budget the least that all servers know. */
  affordable(effort: ReasoningEffort | undefined): ReasoningEffort | undefined {
    return effort === undefined || effort === 'minimal' || this.left > 0 ? effort : 'low';
  }

  /** @param call number of the model call in the attempt */
  heard(call: number, { reasoning = '', reasoningTokens }: ModelReply): void {
    if (reasoning !== '') this.reasoning.push({ call, text: reasoning });
    this.tokens += reasoningTokens ?? tokensOf(reasoning);
  }

  /** @param text of a final message that was accepted */
  concluded(text: string, confidence: number | undefined): void {
    const { found, thoughts } = readThoughts(text);
    if (found !== undefined) this.tokens += tokensOf(JSON.stringify(found));
    const { steps = [], alternatives = [], reflection } = thoughts;
    this.rounds.push({
      ...(confidence !== undefined && { confidence }),
      steps,
      alternatives,
      ...(reflection !== undefined && { reflection }),
    });
  }

  /** There will be no more reviews. */
  ended(why: string): void {
    this.note = shorten(why, MAX_NOTE);
  }

  /** What is kept: within the budget, the agent's own words first. */
  trace(): ThinkingTrace {
    const room = new Room(this.wanted.maxThinkingTokens * CHARACTERS_PER_TOKEN);
    const rounds = this.rounds.map(({ confidence, steps, alternatives, reflection }) => ({
      ...(confidence !== undefined && { confidence }),
      steps: room.list(steps, MAX_STEPS, (step) => room.text(step)),
      alternatives: room.list(alternatives, MAX_ALTERNATIVES, (other) => ({
        option: room.text(other.option),
        whyNot: room.text(other.whyNot),
      })),
      ...(reflection !== undefined && { reflection: room.text(reflection) }),
    }));
    const reasoning = room.list(this.reasoning, Infinity, ({ call, text }) => ({ call, text: room.text(text, Infinity) }));
    return {
      style: this.wanted.style,
      rounds,
      reasoning,
      thinkingTokens: this.tokens,
      ...(this.note !== undefined && { note: this.note }),
      ...(room.shortened && { shortened: true as const }),
    };
  }
}

/** Characters that are left, over all texts of a trace. */
class Room {
  shortened = false;

  constructor(private left: number) {}

  text(text: string, most = MAX_TEXT): string {
    const kept = shorten(text.toWellFormed(), Math.min(this.left, most));
    if (kept.length < text.length) this.shortened = true;
    this.left = Math.max(0, this.left - kept.length);
    return kept;
  }

  /** As long as there is room. */
  list<T, K>(items: readonly T[], most: number, keep: (item: T) => K): K[] {
    const kept: K[] = [];
    for (const item of items) {
      if (kept.length >= most || this.left === 0) {
        this.shortened = true;
        break;
      }
      kept.push(keep(item));
    }
    return kept;
  }
}

function tokensOf(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}

/** Thoughts in another form than the one asked for are no reason to refuse an answer: they are kept as they are. */
function readThoughts(text: string): { found?: unknown; thoughts: ThoughtReply } {
  const found = objectsIn(text).find(({ value }) => 'thinking' in value)?.value['thinking'] ?? undefined;
  if (found === undefined) return { thoughts: {} };
  const parsed = ThoughtReply.safeParse(typeof found === 'object' ? present(found as object) : found);
  if (parsed.success) return { found, thoughts: parsed.data };
  return { found, thoughts: { steps: [typeof found === 'string' ? found : JSON.stringify(found)] } };
}
