/** Faults around the log, its snapshots and its owner. */
import type { CommandReply } from '@cadre/contracts';
import type { Lease, ServeCommands, ShardState, StoredBlock } from '@cadre/engine';
import { logWith, type Plant } from './plant.js';

function stateOf(state: unknown): ShardState {
  return structuredClone(state) as ShardState;
}

export const LOG_FAULTS: Record<string, Plant> = {
  'log without the fence': {
    stream: (stream) => {
      const append = stream.append.bind(stream);
      stream.append = (json) => append(json, stream.lastSeq);
    },
  },
  'answers before the commit is stored': {
    ownerLog: (log) =>
      logWith(log, {
        append: (block, expectedSeq, json) => {
          if (block.kind === 'claim') return log.append(block, expectedSeq, json);
          void log.append(block, expectedSeq, json).catch(() => undefined);
          return Promise.resolve({ stored: true, seq: expectedSeq + 1 });
        },
      }),
  },
  'a lost acknowledgement counts as stored': {
    ownerLog: (log) => Object.assign(log, { believesSilence: true }),
  },
  'no claim': {
    ownerLog: (log) =>
      logWith(log, {
        append: (block, expectedSeq, json) =>
          block.kind === 'claim' ? Promise.resolve({ stored: true, seq: expectedSeq }) : log.append(block, expectedSeq, json),
      }),
  },
  'the lease is believed after a pause': { lease: heldForever },
  'the first snapshot is never replaced': {
    stream: (stream) => {
      const save = stream.saveSnapshot.bind(stream);
      const load = stream.loadSnapshot.bind(stream);
      let first: ReturnType<typeof load>;
      stream.saveSnapshot = (seq, json) => {
        save(seq, json);
        first ??= load();
      };
      stream.loadSnapshot = () => first;
    },
  },
  'a snapshot says that it is newer than it is': { snapshot: ({ seq, state }) => ({ seq: seq + 1, state }) },
  'a snapshot says that it is older than it is': { snapshot: ({ seq, state }) => ({ seq: seq - 1, state }) },
  'a snapshot forgets the runs that have ended': {
    snapshot: ({ seq, state }) => ({ seq, state: { ...stateOf(state), ended: {} } as never }),
  },
  'a snapshot forgets what is reserved': {
    snapshot: ({ seq, state }) => {
      const copy = stateOf(state);
      for (const run of Object.values(copy.open)) run.calls = {};
      return { seq, state: copy as never };
    },
  },
  'the log is trimmed past the snapshot': {
    stream: (stream) => {
      const trim = stream.trim.bind(stream);
      stream.trim = (uptoSeq) => trim(Math.min(uptoSeq + 4, stream.lastSeq), Infinity);
    },
  },
  'a shard that is taken is not folded to its end': {
    ownerLog: (log) => logWith(log, { read: (afterSeq) => withoutLast(log.read(afterSeq)) }),
  },
  'a result is answered before it is decided': { serve: (serve) => answersAtOnce(serve) },
};

function heldForever(lease: Lease): Lease {
  return {
    name: lease.name,
    holder: lease.holder,
    epoch: lease.epoch,
    lost: new AbortController().signal,
    isHeld: () => true,
    release: () => lease.release(),
  };
}

async function* withoutLast(blocks: AsyncIterable<StoredBlock>): AsyncGenerator<StoredBlock> {
  let held: StoredBlock | undefined;
  for await (const stored of blocks) {
    if (held) yield held;
    held = stored;
  }
  if (held) yield { ...held, block: { ...held.block, commits: [] } };
}

function answersAtOnce(serve: ServeCommands): ServeCommands {
  return (shard, handle) =>
    serve(shard, (commands) => {
      const given = commands as { id: string; type: string }[];
      const answered = handle(commands);
      if (!given.every(({ type }) => type === 'CompleteAttempt')) return answered;
      return Promise.resolve(given.map(({ id }): CommandReply => ({ id, outcome: 'accepted' })));
    });
}
