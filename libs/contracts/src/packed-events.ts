/**
 * How many alike events are written into one message. A decision about a run of ten thousand tasks may open or cancel all of them, and its
 * commit must fit into one message; events that differ in their task only are therefore written together. This is a form of the log's
 * bytes: whoever reads blocks through the event log sees single events.
 */
import { z } from 'zod';
import type { Block, Commit, RunEvent } from './events.js';
import { TaskId } from './ids.js';
import { Json } from './values.js';

export const PackedEvents = z.strictObject({
  type: z.literal('PackedEvents'),
  /** The fields that all of them share; `taskIds` gives each its `taskId`. */
  each: z.record(z.string(), Json),
  taskIds: z.array(TaskId).min(1),
});
export type PackedEvents = z.infer<typeof PackedEvents>;

/** Commits with fewer events are written as they are. */
const PACK_FROM = 64;

/** Within a stretch of one of these types the order does not matter: each is about another task. */
const PACKABLE: ReadonlySet<RunEvent['type']> = new Set(['AttemptScheduled', 'AttemptFailed', 'TaskSkipped', 'TaskCancelled']);

/** The commit as it is written; undefined when it is not packed. */
export function packCommit(commit: Commit): object | undefined {
  if (commit.events.length < PACK_FROM) return undefined;
  const events: (RunEvent | PackedEvents)[] = [];
  let groups = new Map<string, PackedEvents>();
  let stretch: RunEvent['type'] | undefined;
  for (const event of commit.events) {
    if (!PACKABLE.has(event.type) || !('taskId' in event)) {
      stretch = undefined;
      events.push(event);
      continue;
    }
    if (event.type !== stretch) groups = new Map();
    stretch = event.type;
    const { taskId, ...each } = event;
    const key = JSON.stringify(each);
    const group = groups.get(key);
    if (group) group.taskIds.push(taskId);
    else {
      const first: PackedEvents = { type: 'PackedEvents', each: each as unknown as PackedEvents['each'], taskIds: [taskId] };
      groups.set(key, first);
      events.push(first);
    }
  }
  return { ...commit, events };
}

function unpacked(event: RunEvent | PackedEvents): RunEvent[] {
  if (event.type !== 'PackedEvents') return [event];
  const { type, ...rest } = event.each;
  return event.taskIds.map((taskId) => ({ type, taskId, ...rest }) as unknown as RunEvent);
}

/** A block as it was before it was packed. */
export function unpackBlock(written: Block): Block {
  if (!written.packed) return written;
  const { packed: _packed, ...block } = written;
  return { ...block, commits: block.commits.map((commit) => ({ ...commit, events: commit.events.flatMap(unpacked) })) };
}
