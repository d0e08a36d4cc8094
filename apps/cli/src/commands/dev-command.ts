/** `cadre dev`: the whole system on this machine, until Ctrl-C. */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_PORT, fixedPorts, installationRoot, LocalSystem, type Ports, requireFree, takenPorts } from '@cadre/local-system';
import { EXIT } from '../exit-codes.js';
import { DataFolder } from '../local/data-folder.js';
import { describeModel, startDisplay } from '../local/start-display.js';
import { duration } from '../output/figures.js';
import type { Terminal } from '../terminal.js';

export interface DevFlags {
  port?: number;
  data?: string;
  reset?: boolean;
  profile?: 'durable' | 'fast';
}

/** How long the processes of a system that was killed hard may take to notice. */
const ABANDONED_MS = 6000;

export async function devCommand(flags: DevFlags, terminal: Terminal): Promise<number> {
  const base = flags.port ?? DEFAULT_PORT;
  const ports = fixedPorts(base);
  const dataDir = resolve(terminal.cwd, flags.data ?? '.cadre');
  const folder = await DataFolder.take(dataDir, `http://127.0.0.1:${base}`);
  try {
    await waitForPorts(ports, base, folder.wasAbandoned);
    if (flags.reset === true) await folder.reset();
    const env = flags.profile === undefined ? terminal.env : { ...terminal.env, CADRE_PROFILE: flags.profile };
    return await serve({ dataDir, ports, base, env }, terminal);
  } finally {
    await folder.release();
  }
}

async function waitForPorts(ports: Ports, base: number, abandoned: boolean): Promise<void> {
  const until = Date.now() + (abandoned ? ABANDONED_MS : 0);
  while (Date.now() < until && (await takenPorts(ports)).length > 0) await sleep(200);
  await requireFree(
    ports,
    `Stop what uses it, or choose other ports: cadre dev --port ${base + 100}. (Another Cadre? Stop it with Ctrl-C.)`,
  );
}

interface Place {
  dataDir: string;
  ports: Ports;
  base: number;
  env: NodeJS.ProcessEnv;
}

async function serve({ dataDir, ports, base, env }: Place, terminal: Terminal): Promise<number> {
  const startedAt = Date.now();
  terminal.err(`Starting Cadre; data and logs in ${dataDir}`);
  describeModel(env).forEach((line) => terminal.err(line));
  const root = env['CADRE_ROOT'] ?? installationRoot;
  const system = new LocalSystem({ dataDir, ports, env, root, log: (line) => terminal.err(`  ..  ${line}`) }, startDisplay(terminal));
  const asked = Promise.withResolvers<void>();
  let interrupts = 0;
  const release = terminal.onInterrupt(() => {
    interrupts += 1;
    if (interrupts === 1) terminal.err('\nStopping (Ctrl-C again to end at once) …');
    else system.kill();
    void system.stop();
    asked.resolve();
  });
  try {
    await system.start();
    if (interrupts === 0) terminal.err(readyText(system.url, base, Date.now() - startedAt));
    await asked.promise;
    return EXIT.ok;
  } finally {
    await system.stop();
    terminal.err('Stopped.');
    release();
  }
}

function readyText(url: string, base: number, tookMs: number): string {
  const env = base === DEFAULT_PORT ? '' : `CADRE_URL=${url} `;
  return [
    `Ready after ${duration(tookMs)} at ${url} (Ctrl-C stops it). In a second terminal:`,
    `  ${env}npx cadre run "Analyze the data and report what stands out" --input FILE.csv`,
    `  ${env}npx cadre agents list`,
    `  ${env}npx cadre doctor`,
  ].join('\n');
}
