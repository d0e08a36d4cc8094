/** The work that is measured. A step is one task; each returns its small input. `after` names the steps that must be done first. */

const chain = (length) => Array.from({ length }, (_, i) => ({ id: `step${i}`, after: i === 0 ? [] : [`step${i - 1}`] }));

const fan = (width) => [
  { id: 'begin', after: [] },
  ...Array.from({ length: width }, (_, i) => ({ id: `part${i}`, after: ['begin'] })),
  { id: 'join', after: Array.from({ length: width }, (_, i) => `part${i}`) },
];

const wide = (width) => Array.from({ length: width }, (_, i) => ({ id: `part${i}`, after: [] }));

/** @param scale 1: as the issue says; less for a short look */
export function workloads(scale) {
  const some = (count, least) => Math.max(least, Math.round(count * scale));
  return {
    W1: { title: 'single tasks, 1,000 runs in flight', runs: some(10_000, 500), width: 1000, steps: wide(1) },
    W2: { title: '1 → 10 → 1, 50 runs in flight', runs: some(500, 50), width: 50, steps: fan(10) },
    'W3×50': { title: 'chains of 10, 50 in flight', runs: some(500, 50), width: 50, steps: chain(10) },
    W3: { title: 'chains of 10, one at a time', runs: some(200, 30), width: 1, steps: chain(10) },
    W4: { title: '300 runs as W2 with steps of 20 ms, one process killed at a third', runs: 300, width: 300, steps: fan(10), sleepMs: 20 },
    W5: { title: '100 slots, 1,000 tasks of 200 ms', runs: 1, width: 1, steps: wide(1000), sleepMs: 200, idealMs: 2000 },
    W6: {
      title: 'W2 with a reservation and a settlement per step',
      runs: some(500, 50),
      width: 50,
      steps: fan(10),
      reserve: true,
      agent: 'payer',
    },
  };
}

export function stepCount({ runs, steps }) {
  return runs * steps.length;
}
