/**
 * Messages of a program, one a line, of which none lies in memory that is longer than allowed: the rest of its line is passed over, and in
 * its place comes an error in answer to the same request, so that nobody else's call suffers by it.
 */
import { ReadBuffer } from '@modelcontextprotocol/client';

/** Of the error that stands for an answer that was too long; no code of JSON-RPC or MCP. */
export const TOO_LONG = 41_300;

/** Programs write the number of the request before their answer or behind it. */
const EDGE_BYTES = 512;
const NEWLINE = 10;

export class BoundedLines extends ReadBuffer {
  readonly #mostBytes: number;
  readonly #unknown: () => void;
  #pieces: Buffer[] = [];
  #size = 0;

  /** @param unknown a message was too long, and nothing tells of which request */
  constructor(mostBytes: number, unknown: () => void) {
    super({ maxBufferSize: Number.MAX_SAFE_INTEGER });
    this.#mostBytes = mostBytes;
    this.#unknown = unknown;
  }

  override append(chunk: Buffer): void {
    for (let start = 0; start < chunk.length;) {
      const end = chunk.indexOf(NEWLINE, start) + 1 || chunk.length;
      const piece = chunk.subarray(start, end);
      this.#add(piece);
      if (piece.at(-1) === NEWLINE) this.#endLine();
      start = end;
    }
  }

  override clear(): void {
    super.clear();
    [this.#pieces, this.#size] = [[], 0];
  }

  #add(piece: Buffer): void {
    this.#size += piece.length;
    this.#pieces.push(piece);
    if (this.#size <= this.#mostBytes) return;
    const all = Buffer.concat(this.#pieces);
    // What is between the edges is never needed again.
    if (all.length > 2 * EDGE_BYTES) this.#pieces = [Buffer.from(all.subarray(0, EDGE_BYTES)), Buffer.from(all.subarray(-EDGE_BYTES))];
  }

  #endLine(): void {
    const line = Buffer.concat(this.#pieces);
    const isTooLong = this.#size > this.#mostBytes;
    [this.#pieces, this.#size] = [[], 0];
    if (!isTooLong) return super.append(line);
    const id = idOf(line.toString('utf8'));
    if (id === undefined) return this.#unknown();
    super.append(Buffer.from(`{"jsonrpc":"2.0","id":${id},"error":{"code":${TOO_LONG},"message":"too long"}}\n`));
  }
}

/** As JSON. @param line without its middle */
function idOf(line: string): string | undefined {
  const [, before] = /^\s*\{(?:\s*"jsonrpc"\s*:\s*"2\.0"\s*,)?\s*"id"\s*:\s*(\d+|"[^"\\]*")/.exec(line) ?? [];
  const [, behind] = /[,}\]]\s*,?\s*"id"\s*:\s*(\d+|"[^"\\]*")\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/.exec(line) ?? [];
  return before ?? behind;
}
