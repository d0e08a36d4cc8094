/**
 * The tools of MCP servers, as a worker has them. Which there are is said by what the operator declared and approved, not by the servers:
 * names, descriptions and schemas are the approved ones, and a server is started when one of its tools is first called. A tool that its
 * server now tells otherwise is withheld.
 */
import type { Tool, ToolContext } from '@cadre/agents';
import { CadreError } from '@cadre/contracts';
import type { AgentName, Json, ToolEffect } from '@cadre/contracts';
import { checkedArguments } from './checked-arguments.js';
import { readMcpServers, stampOf } from './server-file.js';
import type { McpServer, McpSetting } from './server-file.js';
import { ServerLine } from './server-line.js';
import type { LineState } from './server-line.js';
import { answerOf } from './tool-answer.js';
import type { KeepFile } from './tool-answer.js';
import { hashOf, readPins } from './tool-pin.js';
import type { ToldTool, ToolPin } from './tool-pin.js';

export interface McpLog {
  info(about: object, message: string): void;
  warn(about: object, message: string): void;
}

export interface McpParts {
  /** The value of `CADRE_MCP_SERVERS`. */
  setting: string;
  /** From which a relative path starts. */
  folder: string;
  /** Where references to variables are looked up. */
  env: NodeJS.ProcessEnv;
  /** Of the worker. */
  specialty: string;
  log: McpLog;
  /** How often the files are looked at, in milliseconds. */
  lookMs?: number;
}

/** A server as a worker sees it. */
export interface McpServerState {
  server: string;
  state: LineState;
  /** Why it is down. */
  trouble?: string;
  tools: number;
  /** Tools that are not to be called until they are approved anew, and why. */
  withheld: { tool: string; why: string }[];
}

interface KnownTool {
  line: ServerLine;
  /** The server's own name of it. */
  name: string;
  pin: ToolPin;
  effect: ToolEffect;
  parameters: Tool['parameters'];
}

const LOOK_MS = 2000;

export class McpTools {
  #setting: McpSetting;
  #stamp: string;
  #lines = new Map<string, ServerLine>();
  /** By the name that agents use. */
  #tools = new Map<string, KnownTool>();
  readonly #withheld = new Map<string, string>();
  #looking: NodeJS.Timeout | undefined;

  /** Errors: `mcp-servers-invalid`, `mcp-pins-invalid`. */
  constructor(private readonly parts: McpParts) {
    this.#setting = readMcpServers(parts.setting, parts.folder);
    this.#stamp = stampOf(this.#setting);
    this.#take();
  }

  /** What an agent of the worker gets, beside what it has. */
  forAgent(agent: AgentName): string[] {
    return this.#namesOf((server) => server.agents.includes(agent));
  }

  /** What agents made from a template may be given. */
  forTemplate(template: AgentName): string[] {
    return this.#namesOf((server) => server.templates.includes(template));
  }

  /** @param keep where files of answers go */
  tools(names: readonly string[], keep?: KeepFile): Tool[] {
    return names.flatMap((name) => {
      const known = this.#tools.get(name);
      return known ? [this.#toolOf(name, known, keep)] : [];
    });
  }

  states(): McpServerState[] {
    return Array.from(this.#lines, ([server, line]) => {
      const own = [...this.#tools].filter(([, known]) => known.line === line);
      const withheld = own.flatMap(([name]) => {
        const why = this.#withheld.get(name);
        return why === undefined ? [] : [{ tool: name, why }];
      });
      const { state, trouble } = line;
      return { server, state, ...(trouble !== undefined && { trouble }), tools: own.length, withheld };
    });
  }

  /**
   * Looks at the files now and then, so that what is approved or declared counts without a restart. @param onChange other tools are there,
   * or for others
   */
  watch(onChange: () => void): void {
    this.#looking = setInterval(() => {
      if (this.#look()) onChange();
    }, this.parts.lookMs ?? LOOK_MS);
    this.#looking.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#looking);
    await Promise.all([...this.#lines.values()].map((line) => line.close()));
  }

  #look(): boolean {
    const stamp = stampOf(this.#setting);
    if (stamp === this.#stamp) return false;
    this.#stamp = stamp;
    const before = this.#setting;
    try {
      this.#setting = readMcpServers(this.parts.setting, this.parts.folder);
      this.#take();
    } catch (error) {
      this.#setting = before;
      this.parts.log.warn({ err: error }, 'what is said of MCP servers cannot be used; what was said before counts on');
      return false;
    }
    this.parts.log.info({ servers: [...this.#lines.keys()], tools: this.#tools.size }, 'MCP servers and approvals were read anew');
    return true;
  }

  #take(): void {
    const pins = readPins(this.#setting.pinsFile);
    const here = [...this.#setting.servers].filter(([, { workers }]) => workers === undefined || workers.includes(this.parts.specialty));
    const lines = new Map(here.map(([name, server]) => [name, this.#lineOf(name, server)]));
    for (const [name, line] of this.#lines) if (lines.get(name) !== line) void line.close();
    this.#lines = lines;
    this.#withheld.clear();
    this.#tools = new Map(here.flatMap(([name, server]) => this.#toolsOf(lines.get(name) as ServerLine, server, pins[name] ?? {})));
    for (const line of lines.values()) if (line.known) this.#compare(line.name, line.known);
  }

  #lineOf(name: string, server: McpServer): ServerLine {
    const known = this.#lines.get(name);
    if (known && JSON.stringify(known.server) === JSON.stringify(server)) return known;
    const { env, log } = this.parts;
    return new ServerLine(name, server, env, {
      told: (tools) => this.#compare(name, tools),
      said: (line) => log.info({ server: name, line }, 'an MCP server says on stderr'),
      opened: () => log.info({ server: name }, 'the MCP server is there'),
      broken: (why) => log.warn({ server: name, why }, 'the MCP server is not there'),
    });
  }

  #toolsOf(line: ServerLine, server: McpServer, pins: Record<string, ToolPin>): [string, KnownTool][] {
    const { allow, deny, effect, effects } = server;
    const granted = Object.entries(pins).filter(([name]) => !deny.includes(name) && (allow?.includes(name) ?? true));
    return granted.map(([name, pin]) => {
      const unusable = (why: string) =>
        this.parts.log.warn(
          { server: line.name, tool: pin.as, why },
          'the schema of the arguments is not understood; they are left to the server',
        );
      return [pin.as, { line, name, pin, effect: effects[name] ?? effect, parameters: checkedArguments(pin.inputSchema, unusable) }];
    });
  }

  /** Each tool as it was approved against what the server tells now. */
  #compare(server: string, told: readonly ToldTool[]): void {
    const line = this.#lines.get(server);
    const now = new Map(told.map((tool) => [tool.name, tool]));
    for (const [as, known] of this.#tools) {
      if (known.line !== line) continue;
      const why = differenceOf(known, now.get(known.name));
      if (why === this.#withheld.get(as)) continue;
      if (why === undefined) this.#withheld.delete(as);
      else this.#withheld.set(as, why);
      const about = { server, tool: as, ...(why !== undefined && { why, approve: `cadre mcp approve ${server} ${known.name}` }) };
      if (why === undefined) this.parts.log.info(about, 'the MCP tool is as approved again');
      else this.parts.log.warn(about, 'the MCP tool is withheld until it is approved anew');
    }
  }

  #toolOf(name: string, known: KnownTool, keep: KeepFile | undefined): Tool {
    const { pin, effect, parameters } = known;
    return {
      name,
      description: pin.description,
      parameters,
      schema: pin.inputSchema,
      effect,
      ofTheMoment: true,
      ...(this.#withheld.has(name) && { hidden: true }),
      run: (args, context) => this.#run(name, known, args as { [key: string]: Json }, context, keep),
    };
  }

  async #run(as: string, known: KnownTool, args: { [key: string]: Json }, { key, signal }: ToolContext, keep?: KeepFile): Promise<Json> {
    const { line, name, pin } = known;
    // What the server has now is known when it was asked: the first call, and each after a while, asks.
    await line.tools(signal);
    const why = this.#withheld.get(as);
    if (why !== undefined) throw new CadreError('mcp-withheld', `The tool ${as} may not be called now: ${why}`, { billed: 'no' });
    const tool = { name, description: pin.description, inputSchema: pin.inputSchema };
    const result = await line.call({ tool, args, key, signal });
    return answerOf(result, `${as}-${key.slice(0, 8)}`, keep);
  }

  #namesOf(granted: (server: McpServer) => boolean): string[] {
    return [...this.#tools].flatMap(([name, { line }]) => (granted(line.server) ? [name] : []));
  }
}

/** Why a tool is withheld. */
function differenceOf({ pin }: Pick<KnownTool, 'pin'>, now: ToldTool | undefined): string | undefined {
  if (now === undefined) return 'its server does not have it any more.';
  if (hashOf(now) === pin.hash) return undefined;
  const what = now.description === pin.description ? 'the schema of its arguments' : 'its description';
  return `its server has changed ${what} since it was approved (cadre mcp approve).`;
}
