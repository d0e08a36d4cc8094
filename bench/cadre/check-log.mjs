/** Folds the log from its first block and checks the invariants. */
import { checkInvariants } from '@cadre/engine';
import { JetStreamLog } from '@cadre/event-log';
import { connectNats } from '@cadre/messaging';

/** @returns commits, blocks and bytes of the log, and what is wrong with it */
export async function checkLog(url, { finished = true } = {}) {
  const nats = await connectNats({ url, name: 'bench-check' });
  try {
    const log = await JetStreamLog.open(nats, 0);
    const blocks = [];
    for await (const block of log.read(0)) blocks.push(block);
    const violations = checkInvariants({ blocks, finished });
    const commits = blocks.reduce((sum, { block }) => sum + block.commits.length, 0);
    return { blocks: blocks.length, commits, violations };
  } finally {
    await nats.close();
  }
}
