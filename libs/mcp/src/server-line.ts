/**
 * The line to one server: opened when it is first needed, opened again after it broke, at most every so often. It tells what the server
 * has, and calls it. What a call that comes to nothing leaves open is said by its error: `billed: 'no'` means that it surely never reached
 * the server, or was refused there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { untilAborted } from '@cadre/agents';
import { CadreError } from '@cadre/contracts';
import type { Json } from '@cadre/contracts';
import { Client } from '@modelcontextprotocol/client';
import type { CallToolResult, Tool as RemoteTool } from '@modelcontextprotocol/client';
import { callError, connectError, resultTooLong, serverLost } from './call-errors.js';
import { Secrets } from './references.js';
import type { McpServer } from './server-file.js';
import type { ToldTool } from './tool-pin.js';
import { CALL_KEY, openTransport } from './transports.js';

export interface LineEvents {
  /** What the server has, each time it is told. */
  told(tools: ToldTool[]): void;
  /** A line of the server's stderr. */
  said(line: string): void;
  /** The server is there. */
  opened(): void;
  /** Why it is not there, or not any more. */
  broken(why: string): void;
}

export type LineState = 'idle' | 'connecting' | 'ready' | 'down';

export interface RemoteCall {
  tool: ToldTool;
  args: { [key: string]: Json };
  key: string;
  signal: AbortSignal;
}

/** How long after trouble the next try waits: twice as long each time. */
export const LINE_BACKOFF = { firstMs: 250, mostMs: 30_000 } as const;
/** A list older than this is asked for again before a call. */
const LIST_AGE_MS = 30_000;
/** A server that knows only the older protocol may say nothing at all to the question for the newer one. */
const PROBE_MS = 5000;

interface Connection {
  client: Client;
  tools: Map<string, ToldTool>;
  listedAt: number;
  /** Calls on their way, each with what fails it. */
  underway: Map<string, (error: CadreError) => void>;
}

export class ServerLine {
  #connection: Connection | undefined;
  #connecting: Promise<Connection> | undefined;
  #failures = 0;
  #retryAt = 0;
  #trouble: string | undefined;
  #closed = false;
  readonly #secrets: Secrets;

  constructor(
    readonly name: string,
    readonly server: McpServer,
    env: NodeJS.ProcessEnv,
    private readonly events: LineEvents,
  ) {
    this.#secrets = new Secrets(env);
  }

  get state(): LineState {
    if (this.#connection) return 'ready';
    if (this.#connecting) return 'connecting';
    return this.#trouble === undefined ? 'idle' : 'down';
  }

  /** What the server has, if it is there. */
  get known(): ToldTool[] | undefined {
    return this.#connection && [...this.#connection.tools.values()];
  }

  /** Why it is down. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** What the server has now. Errors: `mcp-unavailable`, and the signal's. */
  async tools(signal: AbortSignal): Promise<ToldTool[]> {
    const connection = await this.#open(signal);
    if (Date.now() - connection.listedAt > LIST_AGE_MS) await untilAborted(this.#list(connection), signal);
    return [...connection.tools.values()];
  }

  /**
   * Errors: `mcp-unavailable`, `mcp-refused` (both `billed: 'no'`), `mcp-timeout`, `mcp-lost`, `mcp-result-too-long`, `mcp-failed`, and the
   * signal's.
   */
  async call(call: RemoteCall): Promise<CallToolResult> {
    const connection = await this.#open(call.signal);
    try {
      const result = await this.#send(connection, call);
      this.#failures = 0;
      return result;
    } catch (error) {
      call.signal.throwIfAborted();
      const failure = callError(error, this.name, this.server, (text) => this.#secrets.clear(text));
      if (failure.code === 'mcp-lost') this.#drop(connection, failure.message);
      throw failure;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const connection = this.#connection ?? (await this.#connecting?.catch(() => undefined));
    this.#connection = undefined;
    await connection?.client.close().catch(() => undefined);
  }

  #send(connection: Connection, { tool, args, key, signal }: RemoteCall): Promise<CallToolResult> {
    return new Promise<CallToolResult>((resolve, reject) => {
      connection.underway.set(key, reject);
      const { name, description, inputSchema } = tool;
      const work = connection.client.callTool(
        { name, arguments: args, _meta: { [CALL_KEY]: key } },
        {
          signal,
          timeout: this.server.callTimeoutMs,
          resetTimeoutOnProgress: true,
          onprogress: () => undefined,
          // The answer counts as it is: that it is not what the server itself has promised does not undo what was done.
          toolDefinition: { name, description, inputSchema } as RemoteTool,
          onRequestStreamEnd: () => reject(serverLost(this.name)),
        },
      );
      work.then(resolve, reject).finally(() => connection.underway.delete(key));
    });
  }

  async #open(signal: AbortSignal): Promise<Connection> {
    if (this.#connection) return this.#connection;
    const wait = this.#connecting ? 0 : this.#retryAt - Date.now();
    if (wait > 0) await sleep(wait, undefined, { signal });
    if (this.#closed) throw connectError(this.name, 'The worker shuts down.');
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = undefined));
    return untilAborted(this.#connecting, signal);
  }

  async #connect(): Promise<Connection> {
    let connection: Connection | undefined;
    try {
      connection = await this.#begin();
    } catch (error) {
      const why = this.#secrets.clear(error instanceof Error ? error.message : String(error));
      this.#broke(why);
      throw connectError(this.name, why, error);
    }
    this.#connection = connection;
    this.#trouble = undefined;
    this.events.opened();
    this.events.told([...connection.tools.values()]);
    return connection;
  }

  async #begin(): Promise<Connection> {
    const { connectTimeoutMs } = this.server;
    const client: Client = new Client(
      { name: 'cadre', version: '1' },
      {
        capabilities: {},
        versionNegotiation: { mode: 'auto', probe: { timeoutMs: Math.min(PROBE_MS, Math.ceil(connectTimeoutMs / 3)) } },
        listChanged: { tools: { onChanged: (_error, tools) => tools && take(tools) } },
      },
    );
    const connection: Connection = { client, tools: new Map(), listedAt: Date.now(), underway: new Map() };
    const take = (tools: RemoteTool[]) => this.#take(connection, tools);
    const transport = openTransport(this.server, this.#secrets, {
      said: (line) => this.events.said(line),
      tooLong: (key) => this.#tooLong(connection, key),
    });
    const limit = AbortSignal.timeout(connectTimeoutMs);
    try {
      await untilAborted(client.connect(transport, { timeout: connectTimeoutMs }), limit);
      await untilAborted(this.#list(connection), limit);
    } catch (error) {
      await client.close().catch(() => undefined);
      if (!limit.aborted) throw error;
      throw new Error(`It was not ready within ${connectTimeoutMs} ms (connectTimeoutMs).`, { cause: error });
    }
    client.onclose = () => this.#drop(connection, 'It ended.');
    return connection;
  }

  async #list(connection: Connection): Promise<void> {
    const { connectTimeoutMs } = this.server;
    const { tools } = await connection.client.listTools({}, { timeout: connectTimeoutMs, cacheMode: 'refresh' });
    this.#take(connection, tools);
  }

  #take(connection: Connection, tools: RemoteTool[]): void {
    connection.listedAt = Date.now();
    connection.tools = new Map(
      tools.map(({ name, description = '', inputSchema }) => [
        name,
        { name, description, inputSchema: inputSchema as ToldTool['inputSchema'] },
      ]),
    );
    if (this.#connection === connection) this.events.told([...connection.tools.values()]);
  }

  #tooLong(connection: Connection, key: string | undefined): void {
    const error = resultTooLong(this.name, this.server.maxResultBytes);
    if (key !== undefined) return connection.underway.get(key)?.(error);
    this.#drop(connection, error.message, error);
  }

  #drop(connection: Connection, why: string, error = serverLost(this.name)): void {
    for (const fail of connection.underway.values()) fail(error);
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    if (!this.#closed) this.#broke(why);
    connection.client.close().catch(() => undefined);
  }

  #broke(why: string): void {
    this.#retryAt = Date.now() + Math.min(LINE_BACKOFF.mostMs, LINE_BACKOFF.firstMs * 2 ** this.#failures);
    this.#failures += 1;
    this.#trouble = why;
    this.events.broken(why);
  }
}
