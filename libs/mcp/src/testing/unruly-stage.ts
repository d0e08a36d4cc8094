/** A folder with an MCP server that misbehaves, and the files of an operator who declared and approved it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { withPin, writePins } from '../tool-pin.js';
import type { Pins } from '../tool-pin.js';
import { lookAtServer } from '../look-at-server.js';
import { readMcpServers } from '../server-file.js';

export const UNRULY_SERVER = join(import.meta.dirname, `unruly-server${extname(import.meta.filename)}`);

export class UnrulyStage {
  readonly folder = mkdtempSync(join(tmpdir(), 'mcp-spec-'));
  readonly file = join(this.folder, 'mcp.json');

  /** @param servers by name, over the usual: the unruly server by stdio for the agent `generalist` */
  declare(servers: Record<string, object> = { unruly: {} }): this {
    const usual = { command: process.execPath, args: [UNRULY_SERVER, this.folder], agents: ['generalist'] };
    const entries = Object.entries(servers).map(([name, given]) => [name, 'url' in given ? given : { ...usual, ...given }]);
    writeFileSync(this.file, JSON.stringify({ servers: Object.fromEntries(entries) }));
    return this;
  }

  /** Approves all that the servers have now. */
  async approve(env: NodeJS.ProcessEnv = {}): Promise<Pins> {
    const { servers, pinsFile } = readMcpServers(this.file, '/');
    let pins: Pins = {};
    for (const [name, server] of servers) {
      const { tools } = await lookAtServer(name, server, {}, { env });
      for (const { told } of tools) if (told) pins = withPin(pins, name, told);
    }
    writePins(pinsFile, pins);
    return pins;
  }

  /** What calls have done, a line for each: its key and its text. */
  effects(): string[] {
    try {
      return readFileSync(join(this.folder, 'effects.log'), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  }

  put(name: string, text = ''): void {
    writeFileSync(join(this.folder, name), text);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
