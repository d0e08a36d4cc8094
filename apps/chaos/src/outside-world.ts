/** What Cadre's tools act upon: a small server that counts what is asked of it, and answers the same to the same. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ToolEffect } from '@cadre/contracts';
import { z } from 'zod';

const Asked = z.object({ key: z.string(), name: z.string(), runId: z.string(), taskId: z.string() });

export interface WitnessedCall extends z.infer<typeof Asked> {
  effect: ToolEffect;
  /** How often it was asked for. */
  times: number;
}

/** Longer than what the log holds itself, so that the bodies of some calls go to the object store. */
const LONG_TEXT = 'long '.repeat(600);

export class OutsideWorld {
  /** By key. */
  readonly calls = new Map<string, WitnessedCall>();

  private constructor(
    private readonly server: Server,
    /** How long each answer takes. */
    private readonly latencyMs: number,
  ) {}

  static async start(latencyMs: number): Promise<OutsideWorld> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const world = new OutsideWorld(server, latencyMs);
    server.on('request', (request, response) => void world.#answer(request, response).catch(() => response.destroy()));
    return world;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What a call of this name answers, always. */
  static answerOf(name: string): { done: string; text: string } {
    return { done: name, text: name === 'weigh' ? LONG_TEXT : '' };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const effect = ToolEffect.parse(request.url?.split('/').at(-1));
    const asked = Asked.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
    // The effect is there before the caller hears of it.
    const call = this.calls.get(asked.key) ?? { ...asked, effect, times: 0 };
    this.calls.set(asked.key, { ...call, times: call.times + 1 });
    await sleep(this.latencyMs);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(OutsideWorld.answerOf(asked.name)));
  }
}
