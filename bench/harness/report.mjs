/** Prints what was measured. */
import { rounded } from './figures.mjs';

export function printReport(report) {
  const { node, server, reps, scale, tookSeconds } = report;
  console.log(`\nnats-server ${server}, Node ${node}, medians of ${reps}, scale ${scale}, took ${tookSeconds} s`);
  for (const [profile, systems] of Object.entries(report.medians)) printProfile(profile, systems);
  if (report.verdicts.length > 0) {
    console.log('\nAgainst gates and aims (ratios are Cadre ÷ plain)');
    console.table(Object.fromEntries(report.verdicts.map(({ figure, ...rest }) => [figure, rest])));
  }
  if (report.violations.length > 0) console.log('\nINVARIANTS VIOLATED', JSON.stringify(report.violations, undefined, 2));
  else console.log('\nInvariants: 0 violations');
}

function printProfile(profile, systems) {
  const rows = [];
  for (const [system, works] of Object.entries(systems)) {
    for (const [work, figures] of Object.entries(works)) {
      rows.push({
        ...{ work, system, 'steps/s': Math.round(figures.stepsPerSecond), 'CPU-ms/step': rounded(figures.cpuMsPerStep) },
        ...(figures.p50 && { 'p50 ms': rounded(figures.p50), 'p99 ms': rounded(figures.p99) }),
        'CPU-µs by process': shown(figures.cpuMicrosByProcess),
      });
    }
  }
  if (rows.length === 0) return;
  console.log(`\n${profile}`);
  console.table(rows.sort((a, b) => (a.work < b.work ? -1 : a.work > b.work ? 1 : 0)));
}

function shown(byProcess) {
  return Object.entries(byProcess)
    .map(([name, micros]) => `${name.replace('plain-', '')} ${Math.round(micros)}`)
    .join(', ');
}
