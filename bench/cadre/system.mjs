/** Cadre as processes: orchestrator and scheduler as built for deployment, a worker whose agent is code, a client. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectNats } from '@cadre/messaging';
import { jetstreamManager } from '@nats-io/jetstream';
import { Child, startService } from '../harness/children.mjs';
import { checkLog } from './check-log.mjs';

const STARTERS = {
  orchestrator: (options) => startService('orchestrator', named('orchestrator', options)),
  scheduler: (options) => startService('scheduler', named('scheduler', options)),
  worker: (options) => startOwn('worker', named('worker', options)),
  client: (options) => startOwn('client', options),
};

/** A supervisor gives a process that it restarts the same name. */
function named(name, options) {
  return { ...options, env: { ...options.env, CADRE_INSTANCE_ID: `bench-${name}` } };
}

async function startOwn(name, options) {
  const child = new Child(name, `bench/cadre/${name}.mjs`, options);
  await child.ask({ do: 'ready' });
  return child;
}

/** On a log of its own: what an earlier repetition left is removed. */
export async function startCadre(server, { env = {}, ...rest }) {
  await removeStreams(server);
  const options = { ...rest, env: { NATS_URL: server.url, ...env } };
  const parts = {};
  for (const name of Object.keys(STARTERS)) parts[name] = await STARTERS[name](options);
  await schedulerLeads(parts.scheduler);
  return {
    get children() {
      return Object.values(parts);
    },
    ask: (name, question, timeoutMs) => parts[name].ask(question, timeoutMs),
    run: async (workload) => {
      const { ms } = await parts.client.ask({ do: 'run', workload });
      return { ms, gaps: await parts.worker.ask({ do: 'gaps' }) };
    },
    /** Kills a process as a crash would and starts it again at once. */
    crash: async (name) => {
      await parts[name].kill();
      parts[name] = await STARTERS[name](options);
    },
    check: (options) => checkLog(server.url, options),
    stop: () => Promise.all(Object.values(parts).map((child) => child.stop())),
  };
}

async function removeStreams(server) {
  const nats = await connectNats({ url: server.url, name: 'bench' });
  const jsm = await jetstreamManager(nats);
  for await (const { config } of jsm.streams.list()) if (!config.name.startsWith('PLAIN_')) await jsm.streams.delete(config.name);
  await nats.close();
}

/** It offers nothing before it has read the log and listened to the workers for a while. */
async function schedulerLeads(scheduler) {
  for (let tries = 0; tries < 200; tries += 1) {
    const health = await (await fetch(`${scheduler.url}/readyz`)).text();
    if (health.includes('leading')) return;
    await sleep(50);
  }
  throw new Error('the scheduler does not lead');
}
