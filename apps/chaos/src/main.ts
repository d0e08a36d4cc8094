/** `npm run chaos`: accidents on a real system, and a table of what came of them. Exit code 1 when anything is not as promised. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { brokenAccident, type AccidentResult } from './accident.js';
import { brokerKilled, clusterLeaderKilled } from './broker-accidents.js';
import { budgetRace } from './budget-race/budget-race.js';
import { raceTable } from './budget-race/race-table.js';
import { chaosCast } from './cast.js';
import { crashMatrix } from './crash-matrix.js';
import { fullDisk } from './full-disk.js';
import { failover, workerLost, zombieLeader } from './failovers.js';
import { fillPage, provenance } from './reliability-page.js';
import { accidentTable, matrixTable } from './result-table.js';
import { rollingRestart } from './rolling-restart.js';
import { zombieWorkers } from './zombie-workers.js';

const HELP = `Usage: npm run chaos [-- OPTIONS]
  --rounds N     rounds for each crash point and accident (default 10)
  --seed N       decides where in the work the accidents happen (default 1)
  --only NAME    a service, a crash point, an accident, or "points"; may be repeated (default: everything)
  --rolling      the same as --only rolling-restart
  --json FILE    where the results are written (default chaos-results.json)
  --docs FILE    a page whose tables are filled with them (docs/RELIABILITY.md)
`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true, default: [] },
    rolling: { type: 'boolean', default: false },
    json: { type: 'string', default: 'chaos-results.json' },
    docs: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const log = (line: string): void => void process.stdout.write(`${line}\n`);
if (values.help) {
  log(HELP);
  process.exit(0);
}
const [rounds, seed] = [Number(values.rounds), Number(values.seed)];
const only = [...values.only, ...(values.rolling ? ['rolling-restart'] : [])];
const wanted = (...names: string[]): boolean => only.length === 0 || names.some((name) => only.includes(name));
const cast = chaosCast();

const matrix = await crashMatrix(cast, { rounds, seed, only: ({ service, point }) => wanted(service, point, 'points'), log });

const ACCIDENTS: Record<string, () => Promise<AccidentResult | string>> = {
  'worker-lost': () => workerLost(cast, rounds, seed),
  'orchestrator-failover': () => failover('orchestrator', cast, rounds, seed),
  'scheduler-failover': () => failover('scheduler', cast, rounds, seed),
  'zombie-orchestrator': () => zombieLeader('orchestrator', cast, rounds, seed),
  'zombie-scheduler': () => zombieLeader('scheduler', cast, rounds, seed),
  'zombie-workers': () => zombieWorkers(cast, rounds * 20, seed),
  'broker-killed': () => brokerKilled(cast, rounds, seed),
  'cluster-leader': () => clusterLeaderKilled(cast, rounds, seed),
  'full-disk': () => fullDisk(cast, Math.min(rounds, 2), seed),
  'rolling-restart': () => rollingRestart(cast, Math.min(rounds, 3), seed),
};
const accidents: AccidentResult[] = [];
for (const [name, play] of Object.entries(ACCIDENTS)) {
  if (!wanted(name)) continue;
  const result = await play().catch((error: unknown) => brokenAccident(name, error));
  if (typeof result === 'string') {
    log(`${name}: ${result}`);
    continue;
  }
  accidents.push(result);
  log(
    `${name}: ${result.rounds} rounds, at most ${result.recoveryMs.max} ms until ${result.measured}${result.faults.map((fault) => `\n  ${fault}`).join('')}`,
  );
}
const race = wanted('budget-race') ? await budgetRace({ runs: rounds * 10, tasks: 200, seed, log }) : undefined;
if (matrix.length > 0) log(`\n${matrixTable(matrix)}`);
if (accidents.length > 0) log(`\n${accidentTable(accidents)}`);
if (race !== undefined) log(`\n${raceTable(race)}`);
if (values.docs !== undefined) {
  const flags = only.map((name) => ` --only ${name}`).join('');
  const source = provenance(`npm run chaos -- --rounds ${rounds} --seed ${seed}${flags}`, seed);
  await fillPage(values.docs, {
    ...(matrix.length > 0 ? { 'crash points': `${matrixTable(matrix)}\n\n${source}` } : {}),
    ...(accidents.length > 0 ? { accidents: `${accidentTable(accidents)}\n\n${source}` } : {}),
    ...(race !== undefined ? { 'budget race': `${raceTable(race)}\n\n${source}` } : {}),
  });
}
await writeFile(values.json, JSON.stringify({ rounds, seed, only, at: new Date().toISOString(), matrix, accidents, race }, null, 1));
process.exit(
  matrix.some(({ crashes }) => crashes < rounds) ||
    [...matrix, ...accidents, ...(race ? [race] : [])].some(({ faults }) => faults.length > 0)
    ? 1
    : 0,
);
