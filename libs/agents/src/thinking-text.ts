/** What a thinking agent is told, and asked in a review. Agents without `thinking` read none of it. */
import type { Thinking } from '@cadre/contracts';
import type { ModelMessage } from './ports.js';

const STYLES: Record<Thinking['style'], string> = {
  'step-by-step': 'go step by step from the facts to the result; each step rests on those before it.',
  critical: 'doubt each step: what speaks against it, what is only assumed, what would show that it is wrong?',
  exploratory: 'look at the task from several sides and try several ways before you settle on one.',
};

/** The part of the system message. */
export function thinkingText({ style, directives, maxThinkingTokens, reflect, alternatives }: Thinking): string {
  const weigh =
    alternatives === 1
      ? 'one other solution and say why you do not take it'
      : `${alternatives} other solutions and say why you do not take them`;
  const fields = [
    '"steps": ["<one thought each>"]',
    ...(alternatives > 0 ? ['"alternatives": [{"option": "...", "whyNot": "..."}]'] : []),
    ...(reflect > 0 ? ['"reflection": "<after a review: what you checked and what you changed>"'] : []),
  ];
  const lines = [
    `Think before you finish: ${STYLES[style]}`,
    ...directives,
    ...(alternatives > 0 ? [`Before you settle on a result, weigh ${weigh}.`] : []),
    `Put what you thought first into the JSON object of your final message, as one more field: "thinking": {${fields.join(', ')}}. It takes at most ${maxThinkingTokens} tokens in all. It is kept apart and nobody who uses your result reads it, so the rest of the object must make sense without it.`,
    ...(reflect > 0
      ? [
          'If you get a message {"review": "..."}, do what it says and send your final JSON object again, whole, corrected where it was wrong. Call no tool then.',
        ]
      : []),
  ];
  return `\n\n# Thinking${lines.map((line) => `\n- ${line}`).join('')}`;
}

/** The request to look at the last final message again. @param round from 1 */
export function reviewMessage(round: number, rounds: number): ModelMessage {
  const review = `Review your final message against the task, ${round} of ${rounds}: does it do all that was asked, is each statement shown by what you have seen, and is the confidence sober? Send the JSON object again, whole and corrected; if nothing is wrong, send it as it was.`;
  return { role: 'user', text: JSON.stringify({ review }) };
}
