/** The nats-server under both systems, in one of the two broker profiles. */
import { readFileSync } from 'node:fs';
import { connect } from '@nats-io/transport-node';
import { startNatsServer } from '@cadre/nats-server';

/** @param profile `durable`: every write on disk before it is acknowledged; `fast`: synced now and then */
export async function startServer(profile) {
  if (profile !== 'fast' && profile !== 'durable') throw new Error(`there is no profile ${profile}; use fast or durable`);
  const server = await startNatsServer({ syncAlways: profile === 'durable' });
  const nats = await connect({ servers: server.url });
  const { version } = nats.info;
  await nats.close();
  readFileSync(`/proc/${server.pid}/stat`); // CPU figures need it
  return { ...server, version, env: { CADRE_PROFILE: profile } };
}
