/** `ShardLog` of one life, over its wire. What is not a clear yes is settled by looking at the block's place, as the real one does. */
import { BLOCK_LIMITS, CadreError, type Block } from '@cadre/contracts';
import { pause, type AppendOutcome, type LogSnapshot, type ShardLog, type StoredBlock } from '@cadre/engine';
import type { AppendReply, LogStream } from '../broker/log-stream.js';
import type { Wire } from '../wire.js';

const FENCED: AppendOutcome = { stored: false, reason: 'fenced' };
const SETTLE_MS = 3000;
const RETRY_MS = 50;
const TRIES = 4;
const SLICE = 50;
const IDLE_LOOK_MS = 1000;

export class SimLog implements ShardLog {
  /** A planted fault: no answer counts as a yes. */
  believesSilence = false;
  #inFlight: { expectedSeq: number; outcome: Promise<AppendOutcome> }[] = [];

  constructor(
    private readonly wire: Wire,
    private readonly stream: LogStream,
  ) {}

  get shard(): number {
    return this.stream.shard;
  }

  lastSeq(): Promise<number> {
    return this.#surely('log-last', () => this.stream.lastSeq);
  }

  append(block: Block, expectedSeq: number): Promise<AppendOutcome> {
    if (this.#inFlight.length >= BLOCK_LIMITS.inFlight) throw new TypeError(`at most ${BLOCK_LIMITS.inFlight} appends at once`);
    const before = this.#inFlight.find((other) => other.expectedSeq === expectedSeq - 1);
    const entry = { expectedSeq, outcome: this.#store(block.id, JSON.stringify(block), expectedSeq, before?.outcome) };
    this.#inFlight.push(entry);
    return entry.outcome.finally(() => {
      this.#inFlight = this.#inFlight.filter((other) => other !== entry);
    });
  }

  async *read(afterSeq: number): AsyncGenerator<StoredBlock, void, undefined> {
    let next = afterSeq + 1;
    for (let end: number | undefined; end === undefined || next <= end;) {
      const slice = await this.#slice(next);
      end ??= slice.lastSeq;
      for (const stored of slice.blocks) {
        if (stored.seq > end) return;
        yield stored;
        next = stored.seq + 1;
      }
    }
  }

  async *tail(afterSeq: number, signal: AbortSignal): AsyncGenerator<StoredBlock, void, undefined> {
    const { clock } = this.wire.life;
    const arrived = new Map<number, StoredBlock>();
    let next = afterSeq + 1;
    let wake: () => void = () => undefined;
    const onAbort = (): void => wake();
    signal.addEventListener('abort', onAbort);
    const stop = this.stream.follow((stored) =>
      this.wire.toListener(this.wire.life, () => {
        if (stored.seq >= next) arrived.set(stored.seq, stored);
        wake();
      }),
    );
    try {
      for (let look = true; !signal.aborted;) {
        const known = arrived.get(next);
        // What was pushed may have gaps: those are looked up.
        const news: StoredBlock[] = known ? [known] : look || arrived.size > 0 ? (await this.#slice(next)).blocks : [];
        for (const stored of news) {
          if (signal.aborted) return;
          next = stored.seq + 1;
          arrived.delete(stored.seq);
          yield stored;
        }
        look = news.length === SLICE;
        if (look || arrived.has(next) || signal.aborted) continue;
        look = await new Promise<boolean>((resolve) => {
          const cancel = clock.after(IDLE_LOOK_MS, () => resolve(true));
          wake = () => (cancel(), resolve(false));
        });
      }
    } finally {
      stop();
      signal.removeEventListener('abort', onAbort);
    }
  }

  loadSnapshot(): Promise<LogSnapshot | undefined> {
    return this.#surely('snapshot-load', () => this.stream.loadSnapshot());
  }

  async saveSnapshot({ seq, state }: LogSnapshot): Promise<void> {
    const json = JSON.stringify(state);
    await this.#surely('snapshot-save', () => this.stream.saveSnapshot(seq, json));
  }

  async trim(uptoSeq: number): Promise<void> {
    if (!(await this.#surely('log-trim', () => this.stream.trim(uptoSeq)))) throw new CadreError('trim-unsafe', 'not past the snapshot');
  }

  async #store(id: string, json: string, expectedSeq: number, before: Promise<AppendOutcome> | undefined): Promise<AppendOutcome> {
    if (before !== undefined && !(await before).stored) return FENCED;
    const { clock } = this.wire.life;
    const until = clock.now() + SETTLE_MS;
    for (;;) {
      const reply = await this.wire.ask<AppendReply>('log-append', () => this.stream.append(json, expectedSeq)).catch(() => undefined);
      if (reply?.kind === 'stored') return { stored: true, seq: reply.seq };
      if (reply === undefined && this.believesSilence) return { stored: true, seq: expectedSeq + 1 };
      const place = await this.#lookAt(id, expectedSeq).catch(() => undefined);
      if (place === 'ours') return { stored: true, seq: expectedSeq + 1 };
      if (place === 'taken') return FENCED;
      if (clock.now() > until) throw unavailable(this.shard);
      await pause(clock, RETRY_MS);
    }
  }

  #lookAt(id: string, expectedSeq: number): Promise<'ours' | 'taken' | 'free'> {
    return this.wire.ask('log-look', () => {
      const there = this.stream.at(expectedSeq + 1);
      if (there) return there.block.id === id ? 'ours' : 'taken';
      return this.stream.lastSeq === expectedSeq ? 'free' : 'taken';
    });
  }

  async #slice(fromSeq: number): Promise<{ lastSeq: number; blocks: StoredBlock[] }> {
    const slice = await this.#surely('log-read', () => this.stream.slice(fromSeq, SLICE));
    if (slice.firstSeq > fromSeq && slice.lastSeq >= fromSeq) {
      throw new CadreError('log-trimmed', `block ${fromSeq} of shard ${this.shard} is gone`, { retriable: true });
    }
    return slice;
  }

  /** Asks a few times. */
  async #surely<T>(port: string, act: () => T): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.wire.ask(port, act);
      } catch {
        if (tries === TRIES) throw unavailable(this.shard);
      }
    }
  }
}

function unavailable(shard: number): CadreError {
  return new CadreError('log-unavailable', `the log of shard ${shard} does not answer`, { retriable: true });
}
