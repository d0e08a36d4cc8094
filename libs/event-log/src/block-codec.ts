/** A block as bytes. One's own log is not validated again on each fold: only that it is JSON of the known version. */
import { BLOCK_LIMITS, unpackBlock, type Block } from '@cadre/contracts';
import { blockTooLarge, logCorrupt } from './errors.js';

const decoder = new TextDecoder();

/**
 * @param maxBytes what the server takes in one message. `BLOCK_LIMITS.bytes` is what an owner aims at; it may be passed, by a block's
 *   frame or by one commit that cannot be split.
 * @param json the block's own JSON, when the caller has it
 * @throws CadreError `block-too-large`
 */
export function encodeBlock(block: Block, maxBytes: number, json = JSON.stringify(block)): Uint8Array {
  if (!/^[\x21-\x7e]{1,80}$/.test(block.id)) throw new TypeError('a block id is 1 to 80 printable ASCII characters');
  if (block.commits.length > BLOCK_LIMITS.commits) throw new TypeError(`a block holds at most ${BLOCK_LIMITS.commits} commits`);
  const bytes = Buffer.from(json, 'utf8');
  if (bytes.length > maxBytes) throw blockTooLarge(bytes.length, maxBytes);
  return bytes;
}

/** @throws CadreError `log-corrupt` */
export function decodeBlock(shard: number, seq: number, data: Uint8Array): Block {
  let block: Block;
  try {
    block = JSON.parse(decoder.decode(data)) as Block;
  } catch (cause) {
    throw logCorrupt(shard, seq, 'it is not JSON', cause);
  }
  if (block?.v !== 1) throw logCorrupt(shard, seq, `its version is ${JSON.stringify(block?.v)}, this release knows 1`);
  return unpackBlock(block);
}
