/** `cadre context grants|grant|revoke`. */
import { AgentName, ContextAccess, ContextPattern, type ContextGrants } from '@cadre/contracts';
import { EXIT } from '../exit-codes.js';
import { UsageError } from '../failure.js';
import { table } from '../output/table.js';
import type { Terminal } from '../terminal.js';
import type { ContextFlags } from './context-command.js';
import { clientFor, parseFormat } from './options.js';

type Rules = ContextGrants['rules'];

export async function listGrants(flags: ContextFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const grants = await clientFor(flags.url, terminal).context.grants();
  const rows = grants.flatMap(({ agent, rules }) => rules.map(({ on, may }) => [agent, on, may.join(', ')]));
  if (format === 'json') terminal.out(JSON.stringify({ grants }, null, 2));
  else if (rows.length === 0) terminal.err('Nothing is granted. Grant something with `cadre context grant AGENT read,write PATTERN`.');
  else table(['AGENT', 'ON', 'MAY'], rows).forEach((line) => terminal.out(line));
  return EXIT.ok;
}

export async function grantContext(
  [agent, access, pattern]: [string, string, string],
  flags: ContextFlags,
  terminal: Terminal,
): Promise<number> {
  assertPattern(pattern);
  const wanted = parseAccess(access);
  return change(agent, flags, terminal, (rules) => {
    const had = rules.find(({ on }) => on === pattern)?.may ?? [];
    const may = ContextAccess.options.filter((each) => had.includes(each) || wanted.includes(each));
    return [...rules.filter(({ on }) => on !== pattern), { on: pattern, may }];
  });
}

export async function revokeContext([agent, pattern]: [string, string], flags: ContextFlags, terminal: Terminal): Promise<number> {
  assertPattern(pattern);
  return change(agent, flags, terminal, (rules) => {
    if (rules.some(({ on }) => on === pattern)) return rules.filter(({ on }) => on !== pattern);
    throw new UsageError(`${agent} was granted nothing on ${pattern}.`, '`cadre context grants` shows what is granted.');
  });
}

async function change(agent: string, flags: ContextFlags, terminal: Terminal, decide: (rules: Rules) => Rules): Promise<number> {
  if (!AgentName.safeParse(agent).success)
    throw new UsageError(`${JSON.stringify(agent)} is no name of an agent.`, '`cadre agents list` shows them.');
  const { context } = clientFor(flags.url, terminal);
  const rules = decide((await context.grants()).find((each) => each.agent === agent)?.rules ?? []);
  await context.setGrants(agent, rules);
  const said = rules.map(({ on, may }) => `${may.join(', ')} on ${on}`).join('; ');
  terminal.err(`${agent} may ${said === '' ? 'do nothing with the context store' : said}.`);
  return EXIT.ok;
}

function assertPattern(pattern: string): void {
  if (ContextPattern.safeParse(pattern).success) return;
  throw new UsageError(`${JSON.stringify(pattern)} is no pattern.`, 'Write a name, a folder with / at its end (reports/), or "*".');
}

function parseAccess(text: string): ContextAccess[] {
  return text.split(',').map((word) => {
    const parsed = ContextAccess.safeParse(word.trim());
    if (parsed.success) return parsed.data;
    throw new UsageError(`There is no access ${JSON.stringify(word)}.`, `Choose from ${ContextAccess.options.join(', ')}.`);
  });
}
