/** Trials of Cadre alone: how close a wide run comes to its ideal, and how soon all is done after a crash. */
import { median } from '../harness/figures.mjs';

/** The work itself without its waiting, until its code is compiled: as long as the others of the bench are warmed up. */
const WARM_UP = { runs: 100, maxMs: 10_000 };

/** W5. @returns a function of how to start a system and what to do with it before it stops */
export function measureMakespan(workload, reps) {
  return async (start, inspect) => {
    const values = [];
    for (let rep = 0; rep < reps; rep += 1) {
      const system = await start();
      await system.run({ ...workload, sleepMs: 1, ...WARM_UP });
      values.push((await system.run(workload)).ms / workload.idealMs);
      await inspect(system, 'W5');
      await system.stop();
      process.stderr.write(`W5 makespan ÷ ideal ${values.at(-1).toFixed(3)}\n`);
    }
    return [{ figure: 'W5 makespan ÷ ideal', value: median(values), gate: 1.1, aim: 1.05 }];
  };
}

/** W4: seconds from the kill until all runs are done, for each process that may be killed. */
export function measureCrashes(workload, reps) {
  return async (start, inspect) => {
    const rows = [];
    for (const victim of ['worker', 'orchestrator', 'scheduler']) {
      const values = [];
      for (let rep = 0; rep < reps; rep += 1) {
        const system = await start();
        values.push(await killAtThird(system, victim, workload));
        await inspect(system, `W4 ${victim}`);
        await system.stop();
        process.stderr.write(`W4 ${victim}: ${values.at(-1).toFixed(2)} s\n`);
      }
      rows.push({ figure: `W4 ${victim} killed, s`, value: median(values), gate: 5, aim: 2 });
    }
    return rows;
  };
}

async function killAtThird(system, victim, workload) {
  await system.run({ ...workload, runs: 30, sleepMs: 1 });
  const all = system.run(workload);
  all.catch(() => undefined); // reported by the await below
  await system.ask('client', { do: 'reach', count: Math.round(workload.runs / 3) });
  const killedAt = performance.now();
  await system.crash(victim);
  await all;
  return (performance.now() - killedAt) / 1000;
}
