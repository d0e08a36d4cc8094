/**
 * Loaded into each measured process before its own code (`node --import`): answers how much CPU time and memory it has used, and takes
 * CPU profiles on demand. It costs nothing while nobody asks.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

let session;

const handlers = {
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return { ms: (user + system) / 1000 };
  },
  memory: () => {
    globalThis.gc?.();
    return process.memoryUsage();
  },
  profileStart: async () => {
    session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 200 });
    await session.post('Profiler.start');
  },
  profileStop: async ({ label }) => {
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    const path = `${process.env.BENCH_PROFILE}.${label}.cpuprofile`;
    writeFileSync(path, JSON.stringify(profile));
    return path;
  },
};

/** Asked before the process has got as far as `answerQuestions`. */
const early = [];

globalThis[Symbol.for('cadre.bench.answer')] = (more) => {
  Object.assign(handlers, more);
  for (const message of early.splice(0)) answer(message);
};

process.on('message', (message) => {
  if (message?.benchId === undefined) return;
  if (handlers[message.do]) answer(message);
  else early.push(message);
});

function answer(message) {
  const { benchId } = message;
  Promise.resolve()
    .then(() => handlers[message.do](message))
    .then(
      (value) => process.send({ benchId, value }),
      (error) => process.send({ benchId, error: error?.stack ?? String(error) }),
    );
}

// The channel alone must not keep a process alive that has ended its work.
process.channel?.unref();
// Whoever measures is gone: so are we.
process.on('disconnect', () => process.exit(0));
