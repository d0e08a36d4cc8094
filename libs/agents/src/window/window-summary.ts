/**
 * The summary of turns that have no room in the window: a model call like any other, but at a place of its own, so that it moves no other
 * call.
 */
import { CadreError } from '@cadre/contracts';
import type { ModelLine } from '../model-line.js';
import type { Work } from '../performer.js';
import type { ModelMessage } from '../ports.js';

const SUMMARY_TOKENS = 1200;

const instructions = `You sum up the earlier part of an agent's work on a task, so that the agent can go on without it. Keep every fact, figure, name, path, decision and open question that the rest of the work may need, and the numbers of tool results ("result": n) that hold details. Leave out everything else. Do not invent anything. Answer with the summary alone, in plain text.`;

export class WindowSummary {
  constructor(
    private readonly work: Pick<Work, 'agent' | 'calls' | 'signal'>,
    private readonly line: ModelLine,
  ) {}

  /** Undefined: no model has given one; the attempt goes on without. Errors: those that end the attempt. */
  async summarize(text: string, before: string | undefined): Promise<string | undefined> {
    const { agent, calls, signal } = this.work;
    const messages: ModelMessage[] = [
      { role: 'system', text: instructions },
      { role: 'user', text: `${before === undefined ? '' : `${JSON.stringify({ summary: before })}\n`}${text}` },
    ];
    const digest = calls.digest(JSON.stringify(messages));
    const question = { temperature: agent.temperature, maxOutputTokens: SUMMARY_TOKENS, messages, tools: [] };
    try {
      const reply = await this.line.ask(() => question, `window ${digest}`, { need: 'optional', path: `w/${digest.slice(0, 16)}` });
      const summary = reply.text.trim();
      return summary === '' || reply.finish === 'refusal' ? undefined : summary;
    } catch (error) {
      if (signal.aborted || !(error instanceof CadreError) || !error.code.startsWith('model-')) throw error;
      return undefined;
    }
  }
}
