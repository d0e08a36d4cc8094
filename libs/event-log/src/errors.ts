/** The operating errors of this library, each in one place with its code and remedy. */
import { CadreError } from '@cadre/contracts';

export function logUnavailable(shard: number, cause?: unknown): CadreError {
  return new CadreError('log-unavailable', `The log of shard ${shard} does not answer.`, {
    retriable: true,
    remedy: 'Check that nats-server runs with JetStream and can be reached; the same call may be made again.',
    cause,
  });
}

/** The server said no, for a reason that is not the fence: out of space, limits, permissions. */
export function logRefused(shard: number, code: number, description: string): CadreError {
  return new CadreError('log-refused', `The log of shard ${shard} refused a block: ${description} (${code}).`, {
    retriable: true,
    remedy: "Check nats-server's free disk space and JetStream limits.",
  });
}

export function logMissing(stream: string, cause?: unknown): CadreError {
  return new CadreError('log-missing', `The stream ${stream} does not exist.`, {
    remedy: 'Create it with ensureTopology, with at least as many shards as are used.',
    cause,
  });
}

export function logTrimmed(shard: number, wanted: number, first: number): CadreError {
  return new CadreError('log-trimmed', `Block ${wanted} of shard ${shard} is gone; the log now starts at ${first}.`, {
    remedy: "Start from the shard's snapshot.",
  });
}

export function logCorrupt(shard: number, seq: number, why: string, cause?: unknown): CadreError {
  return new CadreError('log-corrupt', `Block ${seq} of shard ${shard} cannot be read: ${why}.`, {
    remedy: 'Restore the log from a backup; nothing may be folded past this block.',
    cause,
  });
}

export function blockTooLarge(bytes: number, limit: number): CadreError {
  return new CadreError('block-too-large', `A block of ${bytes} bytes is over the limit of ${limit}.`, {
    remedy: 'Split the block, or keep large bodies in the object store.',
  });
}

export function trimUnsafe(shard: number, uptoSeq: number, saved: number): CadreError {
  return new CadreError('trim-unsafe', `Shard ${shard} cannot be trimmed up to ${uptoSeq}: its saved snapshot ends at ${saved}.`, {
    remedy: 'Save a snapshot first.',
  });
}

export function snapshotCorrupt(shard: number, cause: unknown): CadreError {
  return new CadreError('snapshot-corrupt', `No snapshot of shard ${shard} can be read, and its log has been trimmed.`, {
    remedy: 'Restore the object store from a backup.',
    cause,
  });
}

export function blobMissing(name: string): CadreError {
  return new CadreError('blob-missing', `There is no body ${name} in the object store.`, {
    remedy: 'Upload it again, or check that the object store is the right one.',
  });
}

export function blobCorrupt(name: string, why: string, cause?: unknown): CadreError {
  return new CadreError('blob-corrupt', `The body ${name} is damaged: ${why}.`, {
    remedy: 'Restore the object store from a backup, or upload the body again under another name.',
    cause,
  });
}

export function blobTooLarge(bytes: number, limit: number): CadreError {
  return new CadreError('blob-too-large', `A body of ${bytes} bytes is over the limit of ${limit} (${limit / 1024 / 1024} MiB).`, {
    remedy: 'Split it into smaller files.',
  });
}

export function storeUnavailable(what: string, cause?: unknown): CadreError {
  return new CadreError('store-unavailable', `${what} does not answer.`, {
    retriable: true,
    remedy: 'Check that nats-server runs with JetStream, can be reached and has free disk space.',
    cause,
  });
}

export function leaseAborted(name: string): CadreError {
  return new CadreError('aborted', `Waiting for the lease ${name} was given up.`);
}

export function leaseLost(name: string): CadreError {
  return new CadreError('lease-lost', `The lease ${name} was lost: it could not be renewed in time, or another holder has it.`, {
    retriable: true,
    remedy: 'Drop what the lease protected and acquire it again.',
  });
}

export function leaseReleased(name: string): CadreError {
  return new CadreError('lease-released', `The lease ${name} was released.`);
}

export function topologyMismatch(stream: string, why: string, cause?: unknown): CadreError {
  return new CadreError('topology-mismatch', `The stream ${stream} exists in another shape: ${why}.`, {
    remedy: 'Delete the stream if its data may go, or use another nats-server.',
    cause,
  });
}

export function topologyFailed(stream: string, why: string, cause: unknown): CadreError {
  return new CadreError('topology-failed', `The stream ${stream} could not be created: ${why}.`, {
    retriable: true,
    remedy: "Check nats-server's disk space and JetStream limits, and that the cluster has as many servers as replicas are wanted.",
    cause,
  });
}
