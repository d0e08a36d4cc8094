/** The plain protocol as processes: orchestrator (with the client) and worker. */
import { Child } from '../harness/children.mjs';

export async function startPlain(server, { scratch, profileDir }) {
  const env = { NATS_URL: server.url };
  const start = async (name) => {
    const child = new Child(`plain-${name}`, `bench/plain/${name}.mjs`, { env, scratch, profileDir });
    await child.ask({ do: 'ready' });
    return child;
  };
  const orchestrator = await start('orchestrator'); // makes the streams
  const worker = await start('worker');
  return {
    children: [orchestrator, worker],
    run: async (workload) => {
      const { ms } = await orchestrator.ask({ do: 'run', workload });
      return { ms, gaps: await worker.ask({ do: 'gaps' }) };
    },
    check: () => Promise.resolve({}),
    stop: () => Promise.all([orchestrator.stop(), worker.stop()]),
  };
}
