/** The command line: one seed to look at, many seeds to be sure, a failing seed made small, histories for later releases. */
import { parseArgs } from 'node:util';
import { recordHistories } from '../histories.js';
import { runSeed } from '../run-seed.js';
import { shrinkSeed } from '../shrink.js';
import { soak } from './soak.js';

const USAGE = `cadre-sim --seed N [--steps 5000] [--plant NAME] [--trace]      one seed; --trace prints what happened
cadre-sim --shrink N [--steps 5000] [--plant NAME]               a failing seed, with as few faults as still show it
cadre-sim --soak --seeds N [--from 1] [--steps 5000] [--jobs 2] [--out FILE]
                                                                 many seeds; goes on where it was broken off when FILE is there
cadre-sim --record DIRECTORY [--seeds 3] [--steps 1500]          histories: decisions and blocks of a few seeds
`;

const OPTIONS = {
  seed: { type: 'string' },
  shrink: { type: 'string' },
  soak: { type: 'boolean' },
  record: { type: 'string' },
  seeds: { type: 'string' },
  from: { type: 'string', default: '1' },
  steps: { type: 'string' },
  jobs: { type: 'string', default: '2' },
  out: { type: 'string' },
  plant: { type: 'string' },
  trace: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof parse>;

function parse(args: string[]) {
  return parseArgs({ args, options: OPTIONS }).values;
}

/** @returns the exit code: 0 nothing was found, 1 something was, 2 the command was wrong */
export async function main(args: string[]): Promise<number> {
  let values: Values;
  try {
    values = parse(args);
  } catch (error) {
    say(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  const steps = Number(values.steps ?? 5000);
  if (values.seed !== undefined) return oneSeed(Number(values.seed), steps, values);
  if (values.shrink !== undefined) return shrink(Number(values.shrink), steps, values);
  if (values.record !== undefined) {
    const { files, bytes } = await recordHistories(values.record, Number(values.seeds ?? 3), Number(values.steps ?? 1500));
    say(`${files} histories, ${bytes} bytes`);
    return 0;
  }
  if (!values.soak) {
    say(USAGE);
    return 2;
  }
  const wish = { seeds: Number(values.seeds ?? 2000), from: Number(values.from), steps, jobs: Number(values.jobs), out: values.out };
  const summary = await soak(wish, say);
  return summary.findings.length === 0 ? 0 : 1;
}

async function oneSeed(seed: number, steps: number, { trace, plant }: Values): Promise<number> {
  const { lines, ...result } = await runSeed(seed, steps, { readable: trace, ...(plant !== undefined && { plant }) });
  if (lines) say(lines.join('\n'));
  say(JSON.stringify(result));
  return result.finding ? 1 : 0;
}

async function shrink(seed: number, steps: number, { plant }: Values): Promise<number> {
  const found = await shrinkSeed(seed, steps, { ...(plant !== undefined && { plant }) });
  if (!found) {
    say(`seed ${seed} shows nothing`);
    return 0;
  }
  if (found.result.lines) say(found.result.lines.slice(-60).join('\n'));
  say(`${found.result.finding?.clause}: ${found.result.finding?.message}\nwith ${JSON.stringify(found.reduction)}`);
  return 1;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
