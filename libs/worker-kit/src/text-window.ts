/**
 * Parts of a text file: from an offset, and the lines that hold a text. Files may be larger than memory allows to hold, and have no line
 * breaks at all.
 */
import type { FileHandle } from 'node:fs/promises';

/** A part of a text, cut between characters. */
export interface TextPart {
  text: string;
  /** Byte after the part; undefined at the end of the file. */
  nextOffset?: number;
}

export interface TextMatch {
  /** From 1. */
  line: number;
  /** Byte at which the line begins; of a line longer than `PIECE_CHARACTERS`, the piece of it. */
  offset: number;
  /** The line, or what stands around the match. */
  text: string;
}

export interface TextMatches {
  matches: TextMatch[];
  /** There are more after the last one; undefined: these are all. */
  nextOffset?: number;
}

const CHUNK_BYTES = 256 * 1024;
/** A line is looked at in pieces of this length, each with the beginning of the next one: what is looked for may lie across the cut. */
const PIECE_CHARACTERS = 16 * 1024;
const OVERLAP_CHARACTERS = 400;
const MOST_MATCHES = 50;
const EXCERPT_CHARACTERS = 300;

/** Undefined: it is not a text. @param offset in bytes; within a character it is moved to the next one @param maxBytes at most so many */
export async function textPart(file: FileHandle, size: number, offset: number, maxBytes: number): Promise<TextPart | undefined> {
  const length = Math.max(0, Math.min(size - offset, maxBytes));
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, undefined, offset);
  const bytes = buffer.subarray(0, bytesRead);
  if (bytes.includes(0)) return undefined;
  const begin = offset === 0 ? 0 : Math.max(0, Math.min(3, bytes.findIndex(isFirstOfCharacter)));
  const more = offset + bytesRead < size;
  const end = more ? wholeCharacters(bytes) : bytes.length;
  const text = new TextDecoder('utf-8', { ignoreBOM: offset > 0 }).decode(bytes.subarray(begin, Math.max(begin, end)));
  return { text, ...(more && { nextOffset: offset + Math.max(end, 1) }) };
}

/** Lines that hold the text, whatever its case. Undefined: it is not a text. */
export async function textMatches(file: FileHandle, offset: number, search: string): Promise<TextMatches | undefined> {
  const wanted = search.toLowerCase();
  const matches: TextMatch[] = [];
  for await (const piece of piecesOf(file, offset)) {
    if (piece === 'not-text') return undefined;
    const at = piece.text.toLowerCase().indexOf(wanted);
    if (at === -1 || at >= PIECE_CHARACTERS) continue;
    if (matches.length === MOST_MATCHES) return { matches, nextOffset: piece.offset };
    matches.push({ line: piece.line, offset: piece.offset, text: excerpt(piece.text, at, search.length) });
  }
  return { matches };
}

interface Piece {
  line: number;
  offset: number;
  text: string;
}

/** Lines, the long ones in pieces. Line numbers are of the file when the offset is 0, else of the part. */
async function* piecesOf(file: FileHandle, from: number): AsyncGenerator<Piece | 'not-text'> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let [line, offset, rest] = [1, from, ''];
  for (let at = from, ended = false; !ended;) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, at);
    ended = bytesRead === 0;
    at += bytesRead;
    const bytes = chunk.subarray(0, bytesRead);
    if (bytes.includes(0)) return yield 'not-text';
    rest += decoder.decode(bytes, { stream: !ended });
    for (;;) {
      const end = rest.indexOf('\n');
      const length = end === -1 || end > PIECE_CHARACTERS ? PIECE_CHARACTERS : end;
      if (rest === '' || (end === -1 && rest.length < PIECE_CHARACTERS + OVERLAP_CHARACTERS && !ended)) break;
      yield { line, offset, text: rest.slice(0, length === end ? length : length + OVERLAP_CHARACTERS) };
      const taken = length === end ? length + 1 : Math.min(length, rest.length);
      offset += Buffer.byteLength(rest.slice(0, taken));
      rest = rest.slice(taken);
      if (length === end) line += 1;
    }
  }
}

function excerpt(text: string, at: number, length: number): string {
  if (text.length <= EXCERPT_CHARACTERS) return text.replace(/\r$/, '');
  const begin = Math.max(0, at - Math.floor((EXCERPT_CHARACTERS - length) / 2));
  const cut = text.slice(begin, begin + Math.max(EXCERPT_CHARACTERS, length)).toWellFormed();
  return `${begin > 0 ? '…' : ''}${cut}${begin + cut.length < text.length ? '…' : ''}`;
}

function isFirstOfCharacter(byte: number): boolean {
  return (byte & 0xc0) !== 0x80;
}

/** How many of the bytes are whole characters: what follows is the beginning of one more. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back]!;
    if (!isFirstOfCharacter(byte)) continue;
    const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
