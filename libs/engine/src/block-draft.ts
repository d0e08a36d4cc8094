/** The commits of a block in the making, each with its JSON: it is made once, for measuring and for the log. */
import { BLOCK_LIMITS, packCommit, utf8Bytes } from '@cadre/contracts';
import type { AccountCommit, Block, Commit } from '@cadre/contracts';

/** A commit whose JSON is larger than this cannot be sent as one message and is refused. */
export const MAX_COMMIT_BYTES = 700 * 1024;

/** No character of a JavaScript string takes more bytes of UTF-8 than this. */
const BYTES_PER_UNIT = 3;

export class BlockDraft {
  readonly commits: Commit[] = [];
  readonly accounts: AccountCommit[] = [];
  readonly #texts: string[] = [];
  /** Bytes of the texts that have been counted: the first `#counted` ones. */
  #bytes = 0;
  #counted = 0;
  #packed = false;
  /** What the others take at most. */
  #atMost = 0;

  get isFull(): boolean {
    return this.commits.length + this.accounts.length >= BLOCK_LIMITS.commits;
  }

  get isEmpty(): boolean {
    return this.commits.length + this.accounts.length === 0;
  }

  /** Readers fold a block's accounts before its commits, so once there are commits, accounts wait. @returns whether it was taken */
  addAccount(commit: AccountCommit): boolean {
    if (this.commits.length > 0) return false;
    this.accounts.push(commit);
    this.#bytes += utf8Bytes(JSON.stringify(commit)) + 1;
    return true;
  }

  /** What the block holds. */
  parts(): Pick<Block, 'commits' | 'accounts'> {
    return { commits: this.commits, ...(this.accounts.length > 0 ? { accounts: this.accounts } : {}) };
  }

  /**
   * @returns whether it was taken; `later`: there is no room beside what is there; a number: it takes so many bytes and fits into no
   * message
   */
  add(commit: Commit): 'taken' | 'later' | number {
    const packed = packCommit(commit);
    const text = JSON.stringify(packed ?? commit);
    const atMost = text.length * BYTES_PER_UNIT;
    if (this.#bytes + this.#atMost + atMost > BLOCK_LIMITS.bytes) {
      const size = utf8Bytes(text);
      if (size > MAX_COMMIT_BYTES) return size;
      this.#count();
      if (this.commits.length > 0 && this.#bytes + size > BLOCK_LIMITS.bytes) return 'later';
    }
    this.#atMost += atMost;
    this.#packed ||= packed !== undefined;
    this.#texts.push(text);
    this.commits.push(commit);
    return 'taken';
  }

  /** Counting each character costs; it is done only when the limit is near. */
  #count(): void {
    for (; this.#counted < this.#texts.length; this.#counted += 1) this.#bytes += utf8Bytes(this.#texts[this.#counted] as string);
    this.#atMost = 0;
  }

  /** The JSON of a block that holds these commits. */
  jsonOf(block: Block): string {
    const { commits: _commits, ...rest } = block;
    const frame = this.#packed ? { ...rest, packed: true } : rest;
    return `${JSON.stringify(frame).slice(0, -1)},"commits":[${this.#texts.join(',')}]}`;
  }
}
