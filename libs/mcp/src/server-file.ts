/**
 * What an operator says of MCP servers: how each is reached, who may have its tools, and what a call of them does to the world. It comes
 * from the environment of the workers and from nowhere else: a command to start, or an address to call, is never taken from a plan, an API
 * or a model.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { AgentName, CadreError, MOST_MCP_SERVERS, ToolEffect } from '@cadre/contracts';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { referenceFaults } from './references.js';

const SHAPE = 'CADRE_MCP_SERVERS is the path of a YAML or JSON file, or JSON: {"servers": {"files": {"command": "…"}}}.';

/** Names of a server's own tools. */
const names = z.array(z.string().min(1).max(200)).max(500);
const text = z.string().min(1).max(4000);
const timeoutMs = z.int().min(100).max(3_600_000);
/** A text that may name a variable or a file, as `${env:TOKEN}` or `${file:/run/secrets/token}`. */
const secretText = z
  .string()
  .max(8000)
  .check((check) => {
    for (const message of referenceFaults(check.value)) check.issues.push({ code: 'custom', message, input: check.value });
  });

export const McpServer = z
  .strictObject({
    /** By stdio: the program, its arguments, what its environment has beside the usual (PATH, HOME, USER, …), its folder. */
    command: text.optional(),
    args: z.array(z.string().max(4000)).max(200).default([]),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not the name of a variable'), secretText).default({}),
    cwd: text.optional(),
    /** By streamable HTTP. */
    url: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).optional(),
    headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/, 'is not the name of a header'), secretText).default({}),
    /** Agents of workers that get its tools, and templates whose agents may be given them. */
    agents: z.array(AgentName).max(200).default([]),
    templates: z.array(AgentName).max(200).default([]),
    /** Specialties of the workers that use it; left out: all that have one of these agents or templates. */
    workers: z.array(z.string().min(1).max(60)).optional(),
    /** Which of its tools may be granted at all; left out: all but `deny`. */
    allow: names.optional(),
    deny: names.default([]),
    /** What a call does to the world, by tool or else for all. */
    effect: ToolEffect.default('once'),
    effects: z.record(z.string().min(1).max(200), ToolEffect).default({}),
    connectTimeoutMs: timeoutMs.default(30_000),
    /** Of a call; each report of progress begins it anew. */
    callTimeoutMs: timeoutMs.default(60_000),
    maxResultBytes: z
      .int()
      .min(1024)
      .max(256 * 1024 * 1024)
      .default(4 * 1024 * 1024),
  })
  .check(({ value, issues }) => {
    const fault = (message: string, ...path: string[]) => void issues.push({ code: 'custom', message, path, input: value });
    if ((value.command === undefined) === (value.url === undefined)) fault('says either command (stdio) or url (streamable HTTP)');
    if (value.command === undefined && (value.args.length > 0 || value.cwd !== undefined || Object.keys(value.env).length > 0))
      fault('args, env and cwd belong to command');
    if (value.url === undefined && Object.keys(value.headers).length > 0) fault('headers belong to url', 'headers');
    const both = value.allow?.filter((name) => value.deny.includes(name)) ?? [];
    if (both.length > 0) fault(`both allow and deny name ${both.join(', ')}`, 'deny');
  });
export type McpServer = z.infer<typeof McpServer>;

export const ServerName = z.string().regex(/^[a-z][a-z0-9_]{0,23}$/, 'a server name is lower-case letters, digits and _, at most 24');

const ServerFile = z.strictObject({
  servers: z.record(ServerName, McpServer).refine((servers) => Object.keys(servers).length <= MOST_MCP_SERVERS, {
    error: `at most ${MOST_MCP_SERVERS} servers`,
  }),
  /** Where it is kept what was approved; default beside this file, `mcp.yaml` → `mcp.pins.json`. */
  pins: text.optional(),
});

export interface McpSetting {
  servers: ReadonlyMap<string, McpServer>;
  /** The file that it was read from; left out: from the variable itself. */
  file?: string;
  /** Relative paths start here. */
  folder: string;
  pinsFile: string;
}

/**
 * @param setting the value of `CADRE_MCP_SERVERS` @param folder from which a relative path starts
 * Errors: `mcp-servers-invalid`, which names each fault and its place.
 */
export function readMcpServers(setting: string, folder: string): McpSetting {
  const inline = setting.trimStart().startsWith('{');
  const file = inline ? undefined : resolve(folder, setting);
  const where = file ?? 'CADRE_MCP_SERVERS';
  const parsed = ServerFile.safeParse(read(file, setting), { reportInput: false });
  if (!parsed.success) throw invalid(where, parsed.error.issues.flatMap(faultLines));
  const { servers, pins } = parsed.data;
  const base = file === undefined ? folder : dirname(file);
  if (file === undefined && pins === undefined)
    throw invalid(where, ['pins: has to be there when the servers stand in the variable itself']);
  const known = new Map(Object.entries(servers).map(([name, server]) => [name, placed(server, base)]));
  const pinsFile = pins === undefined ? pinsBeside(file as string) : resolve(base, pins);
  return { servers: known, folder: base, pinsFile, ...(file !== undefined && { file }) };
}

/** Changes when one of the files does. */
export function stampOf({ file, pinsFile }: Pick<McpSetting, 'file' | 'pinsFile'>): string {
  return [file, pinsFile].map((path) => (path === undefined ? '' : stamp(path))).join(' ');
}

function stamp(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? '-' : `${found.mtimeNs}/${found.size}/${found.ino}`;
}

function read(file: string | undefined, setting: string): unknown {
  try {
    return parseYaml(file === undefined ? setting : readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new CadreError('mcp-servers-invalid', `${file ?? 'CADRE_MCP_SERVERS'} cannot be read: ${(cause as Error).message}`, {
      remedy: SHAPE,
      cause,
    });
  }
}

/** Relative paths of commands and folders start at the file, wherever the worker was started. */
function placed(server: McpServer, base: string): McpServer {
  if (server.command === undefined) return server;
  const isPath = server.command.startsWith('./') || server.command.startsWith('../');
  return { ...server, command: isPath ? join(base, server.command) : server.command, cwd: resolve(base, server.cwd ?? '.') };
}

function pinsBeside(file: string): string {
  return `${file.slice(0, file.length - extname(file).length)}.pins.json`;
}

function faultLines(issue: z.core.$ZodIssue): string[] {
  const place = issue.path.join('.') || 'the whole';
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => `${place}: ${message}`);
  return [`${place}: ${issue.message}`];
}

function invalid(where: string, faults: string[]): CadreError {
  return new CadreError('mcp-servers-invalid', `${where} is not as it should be:\n${faults.map((fault) => `- ${fault}`).join('\n')}`, {
    remedy: SHAPE,
  });
}
