/**
 * The coordinator: gives each listed part of its task to an agent with the skill for it, gives what failed again, and lists what came of
 * it.
 */
import { SKILLS } from '@cadre/contracts';
import type { AgentReply, ToolResult } from '@cadre/contracts';
import { isData } from '../analysis/files.js';
import type { Brief } from '../conversation.js';
import type { Script, ToolDesk } from '../script/script.js';
import { blocks, count, HONESTY } from '../text/words.js';

const MOST_PARTS = 10;

type Part = ToolResult<'delegate'>['results'][number];

export function* coordinator(brief: Brief, desk: ToolDesk): Script<AgentReply> {
  const parts = partsOf(brief.task.instructions);
  const given = yield* desk.call('delegate', {
    tasks: parts.map((instructions, index) => ({ id: `part${index + 1}`, instructions, skills: [skillFor(brief, instructions)] })),
  });
  if (!given.ok)
    return {
      answer: blocks(`The work could not be given to others: ${given.error}`, HONESTY),
      confidence: 0.1,
      missing: [brief.task.title],
    };
  const results = new Map(given.value.results.map((part) => [part.task, part]));
  const failed = parts.flatMap((instructions, index) => {
    const task = `part${index + 1}`;
    return results.get(task)?.status === 'completed' ? [] : [{ id: task, instructions, skills: [SKILLS.general] }];
  });
  const again = failed.length > 0 ? yield* desk.call('delegate', { tasks: failed }) : undefined;
  if (again?.ok) for (const part of again.value.results) results.set(part.task, part);
  return compose(parts, [...results.values()]);
}

/** Listed lines, or all of it. */
function partsOf(instructions: string): string[] {
  const listed = [...instructions.matchAll(/^\s*(?:[-*]|\d+[.)])\s+(.+)$/gm)].map(([, part = '']) => part.trim());
  return listed.length > 0 ? listed.slice(0, MOST_PARTS) : [instructions];
}

function skillFor({ inputs }: Brief, instructions: string): string {
  const wantsData = /\b(analy[sz]|chart|trend|anomal|statistic|data|columns?|rows?)/i.test(instructions);
  return wantsData && inputs.some(({ name }) => isData(name)) ? SKILLS.dataAnalysis : SKILLS.general;
}

function compose(parts: readonly string[], results: readonly Part[]): AgentReply {
  const done = results.filter(({ status }) => status === 'completed');
  const sections = results.map(({ answer = '', error = '', agent, status }, index) => {
    const title = `## ${(parts[index] ?? '').replace(/\s+/g, ' ').slice(0, 110)}${agent === undefined ? '' : ` (${agent})`}`;
    return blocks(title, status === 'completed' ? answer.replace(HONESTY, '').trim() : `Not done (${status}): ${error}`);
  });
  const answer = blocks(`${done.length} of ${count(results.length, 'part')} done by others.`, ...sections, HONESTY);
  const confidence = done.length === results.length ? Math.min(...done.map((part) => part.confidence ?? 0.5)) : 0.2;
  const missing = parts.filter((_, index) => results[index]?.status !== 'completed');
  return { answer, confidence, ...(missing.length > 0 && { missing: [...missing] }) };
}
