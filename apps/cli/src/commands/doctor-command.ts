/** `cadre doctor`: looks at each thing that has to be right, and says how to put it right. */
import { EXIT } from '../exit-codes.js';
import { diagnose } from '../local/diagnosis.js';
import type { Finding } from '../local/finding.js';
import { painter, type Terminal } from '../terminal.js';
import { clientFor, parseFormat } from './options.js';

export async function doctorCommand(flags: { url?: string; data?: string; output?: string }, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const findings: Finding[] = [];
  for await (const finding of diagnose(clientFor(flags.url, terminal), flags.data ?? '.cadre', terminal)) {
    findings.push(finding);
    if (format === 'text') showFinding(finding, terminal);
  }
  const healthy = findings.every(({ status }) => status !== 'fail');
  if (format === 'json') terminal.out(JSON.stringify({ healthy, checks: findings }, null, 2));
  return healthy ? EXIT.ok : EXIT.failed;
}

const COLOUR = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

export function showFinding({ status, name, detail, fix }: Finding, terminal: Terminal): void {
  const paint = painter(terminal.outIsTty, terminal.env);
  terminal.out(`${paint(COLOUR[status], status.padEnd(4))}  ${name}: ${detail}`);
  if (fix !== undefined) terminal.out(`      To do: ${fix}`);
}
