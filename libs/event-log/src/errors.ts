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

export function brokerNotDurable(names: string[]): CadreError {
  const subject = names.length === 1 ? `The nats-server ${names[0]} writes` : `The nats-servers ${names.join(', ')} write`;
  return new CadreError(
    'broker-not-durable',
    `${subject} to disk only now and then (sync_interval is not "always"), which the profile durable does not allow.`,
    {
      remedy:
        'Put `sync_interval: always` into the jetstream block of its configuration and restart it, or set CADRE_PROFILE=fast for all services.',
    },
  );
}

export function brokerUnverified(monitors: readonly string[]): CadreError {
  const tried = monitors.length === 0 ? '' : `, nor does a monitoring port (${monitors.join(', ')})`;
  return new CadreError(
    'broker-unverified',
    `The broker does not tell whether it syncs each write${tried}, so the profile durable cannot be vouched for.`,
    {
      remedy:
        "Let the account import the service $SYS.REQ.SERVER.PING.JSZ from the system account (docs/adr/0012-broker-profiles.md shows the lines), or set CADRE_NATS_MONITOR to the servers' monitoring addresses (http://host:8222,…), or, if you know that sync_interval is always, set CADRE_UNVERIFIED_BROKER=accept.",
    },
  );
}

export function clusterUnknown(): CadreError {
  return new CadreError('broker-unverified', 'The broker is a cluster, but does not tell of how many servers.', {
    remedy: 'Set CADRE_REPLICAS for all services: 3 in a cluster of three or more servers.',
  });
}

export function brokerTooOld(name: string, version: string, needed: string): CadreError {
  return new CadreError('broker-too-old', `The nats-server ${name} of the cluster is version ${version}.`, {
    remedy: `Upgrade every server of the cluster to ${needed} or newer.`,
  });
}

export function payloadSmall(bytes: number, needed: number): CadreError {
  return new CadreError('broker-payload-small', `The broker takes messages of at most ${bytes} bytes; Cadre needs ${needed}.`, {
    remedy: 'Set max_payload: 1MB or more in the configuration of nats-server.',
  });
}

/** @param wanted copies that the profile, or CADRE_REPLICAS, asks for */
export function tooFewReplicas(streams: { name: string; replicas: number }[], wanted: number): CadreError {
  const list = streams.map(({ name, replicas }) => `${name} (${replicas})`).join(', ');
  return new CadreError('topology-replicas', `These streams have fewer than ${wanted} copies: ${list}.`, {
    remedy: `Run \`nats stream edit NAME --replicas ${wanted}\` for each and wait until the new copies are current; or set CADRE_REPLICAS to what they have, for all services.`,
  });
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
