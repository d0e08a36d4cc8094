/** `cadre doctor`: looks at each thing that has to be right, and says how to put it right. */
import { EXIT } from '../exit-codes.js';
import { diagnose, type Finding } from '../local/diagnosis.js';
import { painter, type Terminal } from '../terminal.js';
import { clientFor, parseFormat } from './options.js';

export async function doctorCommand(flags: { url?: string; data?: string; output?: string }, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const findings: Finding[] = [];
  const paint = painter(terminal.outIsTty, terminal.env);
  const colour = { ok: 'green', warn: 'yellow', fail: 'red' } as const;
  for await (const finding of diagnose(clientFor(flags.url, terminal), flags.data ?? '.cadre', terminal)) {
    findings.push(finding);
    if (format === 'json') continue;
    terminal.out(`${paint(colour[finding.status], finding.status.padEnd(4))}  ${finding.name}: ${finding.detail}`);
    if (finding.fix !== undefined) terminal.out(`      To do: ${finding.fix}`);
  }
  const healthy = findings.every(({ status }) => status !== 'fail');
  if (format === 'json') terminal.out(JSON.stringify({ healthy, checks: findings }, null, 2));
  return healthy ? EXIT.ok : EXIT.failed;
}
