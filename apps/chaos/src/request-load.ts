/**
 * Requests to a gateway without pause, each on a connection of its own: a request that was taken must be answered well. Only a connection
 * that nobody took (the process is between two lives) does not count: nothing was asked then.
 */
import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunRequestInput } from '@cadre/sdk';

const EVERY_MS = 150;

interface Answer {
  status: number;
  body: string;
}

export class RequestLoad {
  readonly faults: string[] = [];
  /** Requests answered well. */
  answered = 0;
  /** Connections that nobody took. */
  refused = 0;
  readonly #runs: string[] = [];
  readonly #asked = new Set<Promise<void>>();
  #going = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly url: string,
    private readonly body: RunRequestInput,
  ) {}

  start(): void {
    this.#going = true;
    this.#loop = this.#ask();
  }

  /** @returns the runs whose start was acknowledged, when every request is answered */
  async stop(): Promise<string[]> {
    this.#going = false;
    await this.#loop;
    await Promise.all(this.#asked);
    return this.#runs;
  }

  async #ask(): Promise<void> {
    for (; this.#going; await sleep(EVERY_MS)) {
      for (const one of [this.#startRun(), this.#listRuns()]) {
        const done = one.finally(() => this.#asked.delete(done));
        this.#asked.add(done);
      }
    }
  }

  async #startRun(): Promise<void> {
    const answer = await this.#send('POST', '/v1/runs', JSON.stringify(this.body), { 'idempotency-key': randomUUID() });
    if (answer !== undefined) this.#runs.push((JSON.parse(answer.body) as { runId: string }).runId);
  }

  async #listRuns(): Promise<void> {
    await this.#send('GET', '/v1/runs?limit=5');
  }

  /** @returns undefined, with a fault noted, unless the answer is good */
  async #send(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Answer | undefined> {
    try {
      const answer = await exchange(method, new URL(path, this.url), body, headers);
      if (answer.status < 300) {
        this.answered += 1;
        return answer;
      }
      this.faults.push(`${method} ${path} was answered ${answer.status}: ${answer.body.slice(0, 300)}`);
    } catch (error) {
      // Also one that is still in the kernel's queue when the listener goes: it is reset before the connection stands.
      if ((error as { syscall?: string }).syscall === 'connect') this.refused += 1;
      else this.faults.push(`${method} ${path} failed: ${(error as Error).message}`);
    }
    return undefined;
  }
}

function exchange(method: string, url: URL, body: string | undefined, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, {
      method,
      agent: false,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }));
      response.once('error', reject);
    });
    sent.end(body);
  });
}
