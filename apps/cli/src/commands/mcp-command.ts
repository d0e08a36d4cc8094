/**
 * `cadre mcp check|list|approve`: for operators, on the machine of the workers or one like it; the servers are asked from here, not through
 * the gateway.
 */
import { lookAtServer, readMcpServers, readPins, serverNamed, withPin, writePins } from '@cadre/mcp';
import type { McpSetting, Pins, SeenServer, SeenTool } from '@cadre/mcp';
import { EXIT } from '../exit-codes.js';
import { UsageError } from '../failure.js';
import { oneLine } from '../output/figures.js';
import { table } from '../output/table.js';
import type { Terminal } from '../terminal.js';
import { parseFormat } from './options.js';

export interface McpFlags {
  file?: string;
  output?: string;
}

type Looked = SeenServer | { server: string; trouble: string };

export function checkMcp(flags: McpFlags, terminal: Terminal): number {
  const setting = settingOf(flags, terminal);
  readPins(setting.pinsFile);
  const names = [...setting.servers.keys()];
  terminal.err(`${names.length === 0 ? 'No server is' : `Sound: ${names.join(', ')} ${names.length === 1 ? 'is' : 'are'}`} declared.`);
  for (const [name, { agents, templates }] of setting.servers)
    if (agents.length + templates.length === 0) terminal.err(`Nobody has the tools of ${name}: it names no agents and no templates.`);
  return EXIT.ok;
}

export async function listMcp(only: string | undefined, flags: McpFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const setting = settingOf(flags, terminal);
  if (only !== undefined) serverNamed(setting.servers, only);
  const pins = readPins(setting.pinsFile);
  const names = [...setting.servers.keys()].filter((name) => only === undefined || name === only);
  const looked = await Promise.all(names.map((name) => look(name, setting, pins, terminal)));
  if (format === 'json') terminal.out(JSON.stringify({ servers: looked }, null, 2));
  else show(looked, setting, terminal);
  return looked.every(isSound) ? EXIT.ok : EXIT.failed;
}

export async function approveMcp(name: string, wanted: string[], flags: McpFlags, terminal: Terminal): Promise<number> {
  const setting = settingOf(flags, terminal);
  const pins = readPins(setting.pinsFile);
  const { tools } = await lookAtServer(name, serverNamed(setting.servers, name), pins[name] ?? {}, { env: terminal.env });
  const missing = wanted.filter((tool) => tools.every((seen) => seen.name !== tool || seen.told === undefined));
  if (missing.length > 0) throw new UsageError(`${name} has no tool ${missing.join(', ')}.`, `cadre mcp list ${name} shows what it has.`);
  const chosen = tools.filter((seen) => (wanted.length === 0 ? seen.standing !== 'left out' : wanted.includes(seen.name)));
  const refused = chosen.filter(({ standing }) => standing === 'refused');
  for (const { name: tool, why } of refused) terminal.err(`${tool} cannot be approved: ${why}.`);
  const due = chosen.filter(({ standing, told }) => told !== undefined && standing !== 'approved' && standing !== 'refused');
  const gone = wanted.length === 0 ? tools.filter(({ standing }) => standing === 'gone') : [];
  const next = approved(pins, name, due, gone);
  if (due.length + gone.length > 0) writePins(setting.pinsFile, next);
  for (const { told } of due)
    if (told) terminal.out(`${next[name]?.[told.name]?.as}: ${told.description}\n  ${JSON.stringify(told.inputSchema)}`);
  for (const { as } of gone) terminal.err(`${as} is gone, and approved no more.`);
  terminal.err(due.length + gone.length === 0 ? `Nothing to approve of ${name}.` : `${due.length} approved, in ${setting.pinsFile}.`);
  return refused.length === 0 ? EXIT.ok : EXIT.failed;
}

function approved(pins: Pins, server: string, due: SeenTool[], gone: SeenTool[]): Pins {
  const next = due.reduce((all, { told }) => (told ? withPin(all, server, told) : all), pins);
  if (gone.length === 0) return next;
  const left = Object.entries(next[server] ?? {}).filter(([tool]) => gone.every(({ name }) => name !== tool));
  return { ...next, [server]: Object.fromEntries(left) };
}

function settingOf({ file }: McpFlags, terminal: Terminal): McpSetting {
  const setting = file ?? terminal.env['CADRE_MCP_SERVERS'] ?? '';
  if (setting === '')
    throw new UsageError('No MCP servers are declared.', 'Set CADRE_MCP_SERVERS or --file to the file that does; docs/MCP.md shows one.');
  return readMcpServers(setting, terminal.cwd);
}

async function look(name: string, setting: McpSetting, pins: Pins, terminal: Terminal): Promise<Looked> {
  try {
    return await lookAtServer(name, serverNamed(setting.servers, name), pins[name] ?? {}, { env: terminal.env });
  } catch (error) {
    return { server: name, trouble: (error as Error).message };
  }
}

function isSound(looked: Looked): boolean {
  return !('trouble' in looked) && looked.tools.every(({ standing }) => standing !== 'changed' && standing !== 'gone');
}

function show(looked: Looked[], { servers }: McpSetting, terminal: Terminal): void {
  const rows = looked.flatMap((seen) => {
    const { agents = [], templates = [] } = servers.get(seen.server) ?? {};
    const whose = [...agents, ...templates.map((template) => `${template} (template)`)].join(', ');
    if ('trouble' in seen) return [[seen.server, '', 'not there', '', whose, '']];
    return seen.tools.map(({ name, as, standing, effect, hash }) => [
      ...[seen.server, as ?? name, standing, effect],
      ...[whose, hash?.slice(0, 'sha256:'.length + 12) ?? ''],
    ]);
  });
  table(['SERVER', 'TOOL', 'STATE', 'EFFECT', 'FOR', 'HASH'], rows).forEach((line) => terminal.out(line));
  for (const seen of looked) {
    if ('trouble' in seen) terminal.err(oneLine(seen.trouble, 500));
    else adviceFor(seen).forEach((line) => terminal.err(line));
  }
}

function adviceFor({ server, tools, unknown }: SeenServer): string[] {
  const of = (standing: SeenTool['standing']) => tools.filter((tool) => tool.standing === standing);
  const changed = [...of('changed'), ...of('gone')];
  return [
    ...of('refused').map(({ name, why }) => `${server} ${name} cannot be approved: ${why}.`),
    ...(of('new').length > 0 ? [`Nobody has the new ones yet: cadre mcp approve ${server}`] : []),
    ...(changed.length > 0 ? [`Withheld until you approve what they are now: cadre mcp approve ${server}`] : []),
    ...(unknown.length > 0 ? [`${server} has no tool ${unknown.join(', ')}, which its declaration names.`] : []),
  ];
}
