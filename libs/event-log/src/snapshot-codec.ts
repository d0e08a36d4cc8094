/**
 * Snapshots as gzipped lines of JSON: the header, then one line for each entry of the state's objects. A large state is encoded and
 * decoded in pieces, so that the event loop goes on: one JSON text of 10,000 runs would hold it up for longer than a lease lives.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip, createGzip } from 'node:zlib';
import type { Json } from '@cadre/contracts';
import type { LogSnapshot } from '@cadre/engine';

const PIECE_CHARS = 128 * 1024;
const CHUNK_BYTES = 128 * 1024;

interface Header {
  v: 1;
  shard: number;
  seq: number;
}

/** `[value]` is the whole state, `[key, value]` one of its entries, `[key, key, value]` an entry of one of its entries. */
type Line = [Json] | [string, Json] | [string, string, Json];

/** The state must not change until the promise settles. */
export async function encodeSnapshot(shard: number, { seq, state }: LogSnapshot): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // The fastest level: states compress well at any level, and a slow save holds up the next one.
  const gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: CHUNK_BYTES });
  await pipeline(Readable.from(piecesOf({ v: 1, shard, seq }, state)), gzip, async (compressed: AsyncIterable<Buffer>) => {
    for await (const chunk of compressed) chunks.push(chunk);
  });
  return Buffer.concat(chunks);
}

/** @throws Error when it is not a whole snapshot of this shard */
export async function decodeSnapshot(shard: number, bytes: Uint8Array): Promise<LogSnapshot> {
  let header: Header | undefined;
  const state = new StateBuilder();
  await pipeline(Readable.from([bytes]), createGunzip({ chunkSize: CHUNK_BYTES }), async (plain: AsyncIterable<Buffer>) => {
    for await (const line of linesOf(plain)) {
      if (header === undefined) header = JSON.parse(line) as Header;
      else state.add(JSON.parse(line) as Line);
    }
  });
  if (header?.v !== 1 || header.shard !== shard) throw new Error('it is not a snapshot of this shard and version');
  return { seq: header.seq, state: state.build() };
}

function* piecesOf(header: Header, state: Json): Generator<Buffer> {
  let piece = `${JSON.stringify(header)}\n`;
  for (const line of splitState(state)) {
    piece += `${JSON.stringify(line)}\n`;
    if (piece.length < PIECE_CHARS) continue;
    yield Buffer.from(piece, 'utf8');
    piece = '';
  }
  yield Buffer.from(piece, 'utf8');
}

function* splitState(state: Json): Generator<Line> {
  if (!isObject(state)) return yield [state];
  for (const [key, value] of Object.entries(state)) {
    const entries = isObject(value) ? Object.entries(value) : [];
    if (entries.length === 0) yield [key, value];
    for (const [inner, innerValue] of entries) yield [key, inner, innerValue];
  }
}

async function* linesOf(plain: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of plain) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
}

class StateBuilder {
  readonly #entries = new Map<string, Json | [string, Json][]>();
  readonly #nested = new Set<string>();
  #whole: Json | undefined;

  add(line: Line): void {
    if (line.length === 1) this.#whole = line[0];
    else if (line.length === 2) this.#entries.set(line[0], line[1]);
    else if (this.#nested.has(line[0])) (this.#entries.get(line[0]) as [string, Json][]).push([line[1], line[2]]);
    else {
      this.#nested.add(line[0]);
      this.#entries.set(line[0], [[line[1], line[2]]]);
    }
  }

  build(): Json {
    if (this.#whole !== undefined) return this.#whole;
    const entries = [...this.#entries].map(([key, value]): [string, Json] => {
      return [key, this.#nested.has(key) ? Object.fromEntries(value as [string, Json][]) : (value as Json)];
    });
    return Object.fromEntries(entries);
  }
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
