/** An agent that thinks less than its definition says, because the server of its model has no room. */
import type { AgentDefinition, ReasoningEffort, ReducedThinking, Thinking } from '@cadre/contracts';
import type { ModelMessage } from './ports.js';
import { thinkingText } from './thinking-text.js';

/** How much less it would think; undefined: it would give up nothing but its model. */
export function reductionOf({ underLoad }: Pick<AgentDefinition, 'underLoad'>): ReducedThinking | undefined {
  if (!underLoad) return undefined;
  const { effort, reflect, alternatives } = underLoad;
  const less = {
    ...(effort !== undefined && { effort }),
    ...(reflect !== undefined && { reflect }),
    ...(alternatives !== undefined && { alternatives }),
  };
  return Object.keys(less).length > 0 ? less : undefined;
}

/** How an agent thinks, as it is (`reduced` false) and as it goes on when it has given up what it can. */
export class ThinkingForms {
  private readonly light: Thinking | undefined;

  constructor(private readonly agent: AgentDefinition) {
    const { thinking } = agent;
    const {
      effort = thinking?.effort,
      reflect = thinking?.reflect ?? 0,
      alternatives = thinking?.alternatives ?? 0,
    } = reductionOf(agent) ?? {};
    this.light = thinking && { ...thinking, reflect, alternatives, ...(effort !== undefined && { effort }) };
  }

  effort(reduced: boolean): ReasoningEffort | undefined {
    const { thinking, underLoad } = this.agent;
    return (reduced ? underLoad?.effort : undefined) ?? thinking?.effort;
  }

  reviews(reduced: boolean): number {
    return (reduced ? this.light : this.agent.thinking)?.reflect ?? 0;
  }

  /** The same conversation, in which the agent is told to think less. */
  told(messages: ModelMessage[], reduced: boolean): ModelMessage[] {
    const { thinking } = this.agent;
    const [system, ...rest] = messages;
    if (!reduced || !thinking || !this.light || system?.role !== 'system') return messages;
    const less = thinkingText(this.light);
    return [{ ...system, text: system.text.replace(thinkingText(thinking), () => less) }, ...rest];
  }
}
