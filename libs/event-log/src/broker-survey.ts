/**
 * What the servers themselves say about how they keep data. No reply that every client gets tells it, so there are two ways: the request
 * `$SYS.REQ.SERVER.PING.JSZ`, which all servers of a cluster answer if the client's account imports it, and the monitoring port.
 */
import type { NatsConnection } from '@nats-io/transport-node';
import { freshInbox, pause } from './connection.js';

export const SURVEY_SUBJECT = '$SYS.REQ.SERVER.PING.JSZ';

export interface SurveyedServer {
  name: string;
  version: string;
  /** Each write is on disk before it is acknowledged. */
  syncAlways: boolean;
  /** Servers that keep JetStream's meta data; 1 outside of a cluster. */
  clusterSize: number;
}

/** Only a cluster with a server down waits so long. */
const ANSWERS_MS = 1500;
const ASK_TIMES = 3;
const MONITOR_MS = 3000;

interface JetStreamState {
  config?: { sync_always?: boolean };
  meta_cluster?: { cluster_size?: number };
  meta?: { cluster_size?: number };
}

/**
 * Answers of all servers, or as many as come in time; none when the account may not ask. Asks again when a busy server says nothing at all.
 */
export async function askServers(nats: NatsConnection): Promise<SurveyedServer[]> {
  for (let tries = 1; ; tries += 1) {
    const answers = await askOnce(nats);
    if (answers === 'nobody there') return [];
    if (answers.length > 0 || tries === ASK_TIMES) return answers;
  }
}

async function askOnce(nats: NatsConnection): Promise<SurveyedServer[] | 'nobody there'> {
  const inbox = freshInbox(nats);
  const found = new Map<string, SurveyedServer>();
  const complete = new AbortController();
  let refused = false;
  const subscription = nats.subscribe(inbox, {
    callback: (error, message) => {
      refused = error !== null || message.headers?.code === 503;
      const server = refused ? undefined : surveyed(message.json());
      if (server !== undefined) found.set(server.name, server);
      const expected = Math.max(1, ...[...found.values()].map(({ clusterSize }) => clusterSize));
      if (refused || found.size >= expected) complete.abort();
    },
  });
  nats.publish(SURVEY_SUBJECT, '{}', { reply: inbox });
  await pause(ANSWERS_MS, complete.signal);
  if (!nats.isClosed()) subscription.unsubscribe();
  return refused ? 'nobody there' : [...found.values()];
}

function surveyed(answer: unknown): SurveyedServer | undefined {
  const { server, data } = answer as { server?: { name: string; ver: string }; data?: JetStreamState };
  return server === undefined || data?.config === undefined ? undefined : described(server.name, server.ver, data);
}

/** @param monitors addresses such as `http://10.0.0.1:8222`, one for each server; those that do not answer are left out */
export async function askMonitors(monitors: readonly string[]): Promise<SurveyedServer[]> {
  const asked = monitors.map(async (url) => {
    const response = await fetch(new URL('/varz', url), { signal: AbortSignal.timeout(MONITOR_MS) });
    const { server_name: name, version, jetstream } = (await response.json()) as VarzAnswer;
    return jetstream?.config === undefined ? [] : [described(name, version, jetstream)];
  });
  return (await Promise.allSettled(asked)).flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
}

interface VarzAnswer {
  server_name: string;
  version: string;
  jetstream?: JetStreamState;
}

function described(name: string, version: string, { config, meta_cluster: cluster, meta = cluster }: JetStreamState): SurveyedServer {
  return { name, version, syncAlways: config?.sync_always === true, clusterSize: meta?.cluster_size ?? 1 };
}
