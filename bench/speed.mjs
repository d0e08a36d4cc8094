/**
 * Cadre beside the plain protocol, in turn on the same nats-server: rates, CPU per step of all processes, step latency, recovery, makespan.
 * Build first, then `node bench/speed.mjs`; `--help` lists the options.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startCadre } from './cadre/system.mjs';
import { measureCrashes, measureMakespan } from './cadre/trials.mjs';
import { cpuByName } from './harness/children.mjs';
import { difference, figuresOf, mediansOf, verdicts } from './harness/figures.mjs';
import { printReport } from './harness/report.mjs';
import { startServer } from './harness/server.mjs';
import { stepCount, workloads } from './harness/workloads.mjs';
import { startPlain } from './plain/system.mjs';

const HELP = `node bench/speed.mjs [options]       (npm run build first)

Measures Cadre beside the plain protocol (bench/plain) on one nats-server of its own, on loopback. Stops by itself and leaves nothing behind.

  --reps=N           repetitions; figures are their medians (default 5)
  --profiles=LIST    fast,durable (default both)
  --work=LIST        of W1,W2,W3x50,W3,W4,W5,W6 (default all)
  --systems=LIST     of plain,cadre (default both)
  --against=DIR      another checkout, built: its Cadre is measured too, as "other" (what has a change brought?)
  --scale=X          share of the runs that the issue names (default 1; 0.2 for a short look)
  --short            same as --reps=2 --scale=0.3, with W4 and W5 once, durable only: under three minutes on a quiet machine
  --json=FILE        writes all figures there
  --cpu-profile=DIR  writes a CPU profile of each process and workload there (costs time: do not compare rates);
                     read them with bench/profile.mjs
  --slots=N          tasks that a worker of W1 to W3 and W6 takes at once (default 1000, as many as the plain one pulls); W4 and W5 have 100
`;

const SYSTEMS = {
  plain: startPlain,
  cadre: startCadre,
  other: (server, options) => startCadre(server, { ...options, tree: settings.against }),
};
/** What runs for days has been compiled by its engine long ago: workload, runs, and milliseconds after which it is enough. */
const WARM_UP = [
  ['W2', 30000, 12000],
  ['W1', 3000, 2000],
  ['W3×50', 200, 1500],
  ['W6', 20000, 8000],
  ['W3', 20, 500],
];
const COMPARED = ['W1', 'W2', 'W3×50', 'W3', 'W6'];

const settings = readSettings();
const scratch = mkdtempSync(join(tmpdir(), 'cadre-bench-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const began = Date.now();
const report = { node: process.version, reps: settings.reps, scale: settings.scale, medians: {}, absolutes: [], violations: [] };
for (const profile of settings.profiles) await measureProfile(profile);
report.verdicts = verdicts(report.medians, report.absolutes);
report.tookSeconds = Math.round((Date.now() - began) / 1000);
printReport(report);
if (settings.json) writeFileSync(settings.json, JSON.stringify(report, undefined, 2));
process.exit(report.violations.length > 0 ? 1 : 0);

function readSettings() {
  const text = (fallback) => ({ type: 'string', default: fallback });
  const options = {
    ...{ reps: text('5'), profiles: text('fast,durable'), work: text('W1,W2,W3x50,W3,W4,W5,W6'), systems: text('plain,cadre') },
    ...{ scale: text('1'), json: { type: 'string' }, 'cpu-profile': { type: 'string' }, against: { type: 'string' }, slots: text('1000') },
    ...{ short: { type: 'boolean' }, help: { type: 'boolean' } },
  };
  const { values } = parseArgs({ options });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  if (values.short) Object.assign(values, { reps: '2', scale: '0.3' });
  const list = (value) => value.split(',').filter(Boolean);
  if (values['cpu-profile']) mkdirSync(values['cpu-profile'], { recursive: true });
  return {
    short: values.short === true,
    reps: Math.min(20, Math.max(1, Number(values.reps))),
    scale: Math.min(2, Math.max(0.01, Number(values.scale))),
    profiles: list(values.profiles),
    work: list(values.work).map((name) => name.replace('x', '×')),
    systems: [...list(values.systems), ...(values.against ? ['other'] : [])],
    against: values.against && resolve(values.against),
    ...{ json: values.json, profileDir: values['cpu-profile'], slots: values.slots },
  };
}

async function measureProfile(profile) {
  const server = await startServer(profile);
  report.server = server.version;
  const options = { scratch, profileDir: settings.profileDir, env: { ...server.env, CADRE_SLOTS: settings.slots } };
  try {
    const repetitions = Object.fromEntries(settings.systems.map((name) => [name, []]));
    for (let rep = 0; rep < settings.reps; rep += 1) {
      for (const name of settings.systems) repetitions[name].push(await measureOnce(name, profile, server, options));
    }
    report.medians[profile] = Object.fromEntries(settings.systems.map((name) => [name, mediansOf(repetitions[name])]));
    const wanted = settings.systems.includes('cadre') && !(settings.short && profile === 'fast');
    if (wanted) await measureTrials(profile, server, options);
  } finally {
    await server.stop();
  }
}

/** One repetition: a system started afresh, warmed up, then each workload once. */
async function measureOnce(name, profile, server, options) {
  const system = await SYSTEMS[name](server, options);
  try {
    const all = workloads(settings.scale);
    for (const [title, runs, maxMs] of WARM_UP) {
      if (title !== 'W6' || name !== 'plain') await system.run({ ...all[title], runs, maxMs });
    }
    const figures = {};
    for (const title of COMPARED.filter((each) => settings.work.includes(each))) {
      const workload = all[title];
      if (workload.reserve && name === 'plain') continue;
      figures[title] = await measureWorkload(system, workload, server, `${profile}-${title}`);
      process.stderr.write(
        `${profile} ${name} ${title}: ${Math.round(figures[title].stepsPerSecond)} steps/s, ${figures[title].cpuMsPerStep.toFixed(3)} CPU-ms\n`,
      );
    }
    await noteViolations(system, `${profile} ${Object.keys(figures).join(' ')}`);
    return figures;
  } finally {
    await system.stop();
  }
}

async function measureWorkload(system, workload, server, label) {
  if (settings.profileDir) for (const child of system.children) await child.ask({ do: 'profileStart' });
  const before = await cpuByName(system.children, server.pid);
  const outcome = await system.run(workload);
  const cpu = difference(await cpuByName(system.children, server.pid), before);
  if (settings.profileDir) for (const child of system.children) await child.ask({ do: 'profileStop', label });
  return figuresOf(stepCount(workload), outcome, cpu);
}

/** What has no counterpart in the plain protocol: makespan and recovery. */
async function measureTrials(profile, server, options) {
  const all = workloads(settings.scale);
  const reps = settings.short ? 1 : settings.reps;
  const trials = [];
  if (settings.work.includes('W5')) trials.push(() => measureMakespan(all.W5, reps));
  if (settings.work.includes('W4')) trials.push(() => measureCrashes(all.W4, reps));
  for (const trial of trials) {
    const measure = trial();
    const rows = await measure(
      () => startCadre(server, { ...options, env: { ...options.env, CADRE_SLOTS: '100', LOG_LEVEL: 'error' } }),
      (system, what) => noteViolations(system, `${profile} ${what}`),
    );
    for (const row of rows) report.absolutes.push({ ...row, figure: `${row.figure}, ${profile}` });
  }
}

async function noteViolations(system, what) {
  const { violations = [], blocks, commits } = await system.check();
  if (commits !== undefined) process.stderr.write(`${what}: ${commits} commits in ${blocks} blocks, ${violations.length} violations\n`);
  for (const violation of violations.slice(0, 10)) report.violations.push({ what, ...violation });
}
