/** The messages that say something: a turn that is empty is refused by many servers. */
import type { ModelMessage } from '@cadre/agents';

export function spoken(messages: readonly ModelMessage[]): ModelMessage[] {
  return messages.filter((message) => message.role !== 'assistant' || message.toolCalls.length > 0 || message.text.trim() !== '');
}
