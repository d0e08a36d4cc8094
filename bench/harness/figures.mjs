/** Numbers out of measurements. */

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** Figures of one workload in one repetition. `cpu` is milliseconds by process. */
export function figuresOf(steps, { ms, gaps }, cpu) {
  const total = Object.values(cpu).reduce((sum, each) => sum + each, 0);
  return {
    stepsPerSecond: (steps / ms) * 1000,
    cpuMsPerStep: total / steps,
    cpuMicrosByProcess: Object.fromEntries(Object.entries(cpu).map(([name, each]) => [name, Math.round((each / steps) * 1000)])),
    ...(gaps?.length > 0 && { p50: median(gaps), p99: percentile(gaps, 0.99) }),
  };
}

/** Medians over repetitions, field by field. */
export function mediansOf(repetitions) {
  const [first] = repetitions;
  if (typeof first === 'number') return median(repetitions);
  return Object.fromEntries(Object.keys(first).map((key) => [key, mediansOf(repetitions.map((each) => each[key]))]));
}

export function difference(after, before) {
  return Object.fromEntries(Object.keys(after).map((name) => [name, after[name] - before[name]]));
}

/** The gates and aims of the issue. A ratio is Cadre over plain in the same run; `less`: smaller is better. */
const GATES = [
  { figure: 'CPU-ms per step, W2, fast', profile: 'fast', of: 'W2', field: 'cpuMsPerStep', gate: 0.6, aim: 0.3, less: true },
  { figure: 'CPU-ms per step, W3×50, fast', profile: 'fast', of: 'W3×50', field: 'cpuMsPerStep', gate: 0.6, aim: 0.3, less: true },
  { figure: 'steps/s W2, fast', profile: 'fast', of: 'W2', field: 'stepsPerSecond', gate: 1.5, aim: 3 },
  { figure: 'tasks/s W1, fast', profile: 'fast', of: 'W1', field: 'stepsPerSecond', gate: 1, aim: 1.5 },
  { figure: 'W3 alone p50, fast', profile: 'fast', of: 'W3', field: 'p50', gate: 1.2, aim: 0.8, less: true },
  { figure: 'steps/s W2, durable', profile: 'durable', of: 'W2', field: 'stepsPerSecond', gate: 5, aim: 10 },
  {
    figure: 'CPU-ms per step, W6 ÷ plain W2, fast',
    profile: 'fast',
    of: 'W6',
    base: 'W2',
    field: 'cpuMsPerStep',
    gate: 1,
    aim: 0.5,
    less: true,
  },
];

/** @param medians `{ fast: { plain: { W1: … }, cadre: … }, durable: … }` @param absolutes `{ figure, value, gate, aim }` */
export function verdicts(medians, absolutes = []) {
  const rows = [];
  for (const { figure, profile, of, base = of, field, gate, aim, less } of GATES) {
    const ours = medians[profile]?.cadre?.[of]?.[field];
    const plain = medians[profile]?.plain?.[base]?.[field];
    if (ours !== undefined && plain !== undefined) rows.push(verdict({ figure, plain, ours, value: ours / plain, gate, aim, less }));
  }
  return [...rows, ...absolutes.map((row) => verdict({ ...row, less: true }))];
}

function verdict({ figure, plain, ours, value, gate, aim, less }) {
  const reached = (limit) => (less ? value <= limit : value >= limit);
  const sign = less ? '≤' : '≥';
  return {
    figure,
    plain: rounded(plain),
    cadre: rounded(ours),
    value: rounded(value),
    gate: `${sign} ${gate}`,
    aim: `${sign} ${aim}`,
    reached: reached(aim) ? 'aim' : reached(gate) ? 'gate' : 'MISSED',
  };
}

export function rounded(value) {
  if (value === undefined) return '';
  return Number(value >= 100 ? value.toFixed(0) : value.toPrecision(3));
}
