/** Operating errors of this library. */
import { CadreError } from '@cadre/contracts';

/** Cadre relies on per-message expectations and leases with a TTL that older servers do not have or get wrong. */
export const MINIMUM_VERSION = '2.14.4';

export function tooOld(path: string, version: string): CadreError {
  return new CadreError('nats-server-too-old', `${path} is nats-server ${version}; Cadre needs ${MINIMUM_VERSION} or newer.`, {
    remedy: 'Point CADRE_NATS_SERVER at a newer nats-server, or unset it and let Cadre find one.',
  });
}

export function notAServer(path: string, reason: string): CadreError {
  return new CadreError('nats-server-unusable', `CADRE_NATS_SERVER names ${path}, which is not a working nats-server: ${reason}`, {
    remedy: 'Point CADRE_NATS_SERVER at a nats-server binary, or unset it and let Cadre find one.',
  });
}

/** @param tried what was looked at and why it did not serve, one line each */
export function notFound(tried: string[]): CadreError {
  return new CadreError(
    'nats-server-missing',
    `No usable nats-server was found or could be fetched:\n${tried.map((line) => `  - ${line}`).join('\n')}`,
    {
      remedy: `Download nats-server ${MINIMUM_VERSION} or newer from https://github.com/nats-io/nats-server/releases, unpack it and set CADRE_NATS_SERVER to its path (or put it on the PATH).`,
    },
  );
}

export function startFailed(reason: string, output: string[]): CadreError {
  const tail = output.slice(-8).map((line) => `\n  ${line}`);
  return new CadreError('nats-server-failed', `nats-server did not start: ${reason}${tail.join('')}`, {
    remedy: 'Read the server output above; check free disk space and that no other server uses the same data folder.',
  });
}

export function portTaken(host: string, port: number): CadreError {
  return new CadreError('port-taken', `Port ${port} on ${host} is already in use.`, {
    remedy: `Stop the program that listens on port ${port}, or choose another port.`,
  });
}

export function noLeader(stream: string, timeoutMs: number): CadreError {
  return new CadreError('nats-no-leader', `The stream ${stream} had no leader for ${timeoutMs / 1000} s.`, {
    retriable: true,
    remedy: 'Check that the stream exists and that most servers of the cluster run.',
  });
}

export function notWhole(nodes: number, timeoutMs: number): CadreError {
  return new CadreError(
    'nats-cluster-incomplete',
    `The ${nodes} servers of the cluster did not find each other within ${timeoutMs / 1000} s.`,
    {
      retriable: true,
      remedy: 'Check that the machine is not overloaded and that servers may connect to each other on loopback.',
    },
  );
}
