/** `cadre runs thinking`: what the agent of a task thought on the way to its result. */
import type { ThinkingTrace } from '@cadre/contracts';
import { EXIT } from '../exit-codes.js';
import { count } from '../output/figures.js';
import { safe } from '../output/markdown.js';
import type { Terminal } from '../terminal.js';
import { clientFor, parseFormat, parseRunId } from './options.js';

export async function showThinking(
  runId: string,
  taskId: string,
  flags: { url?: string; output?: string },
  terminal: Terminal,
): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const trace = await clientFor(flags.url, terminal).thinking(parseRunId(runId), taskId);
  if (format === 'json') terminal.out(JSON.stringify(trace, null, 2));
  else thinkingLines(trace).forEach((line) => terminal.out(safe(line)));
  return EXIT.ok;
}

function thinkingLines({ style, rounds, reasoning, thinkingTokens, note, shortened }: ThinkingTrace): string[] {
  return [
    `Thinking ${style}, ${count(thinkingTokens, 'token')}${shortened ? ', shortened to fit the budget' : ''}`,
    ...rounds.flatMap(({ confidence, steps, alternatives, reflection }, index) => [
      '',
      `${index === 0 ? 'First answer' : `Review ${index}`}, confidence ${confidence ?? 'not given'}`,
      ...(reflection === undefined ? [] : [`  reflection: ${reflection}`]),
      ...steps.map((step, place) => `  ${place + 1}. ${step}`),
      ...alternatives.map(({ option, whyNot }) => `  not taken: ${option} (${whyNot})`),
    ]),
    ...(note === undefined ? [] : ['', note]),
    ...reasoning.flatMap(({ call, text }) => ['', `Reasoning of the model server, call ${call}`, `  ${text}`]),
  ];
}
