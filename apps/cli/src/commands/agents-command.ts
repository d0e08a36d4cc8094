/** `cadre agents list`. */
import { EXIT } from '../exit-codes.js';
import { duration } from '../output/figures.js';
import { table } from '../output/table.js';
import type { Terminal } from '../terminal.js';
import { clientFor, parseFormat } from './options.js';

export async function listAgents(flags: { url?: string; output?: string }, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const workers = await clientFor(flags.url, terminal).agents();
  if (format === 'json') terminal.out(JSON.stringify({ workers }, null, 2));
  else if (workers.length === 0) terminal.err('No worker is heard. Start them with `cadre dev`.');
  else {
    const rows = workers.flatMap((worker) =>
      worker.agents.map((agent) => [
        ...[
          agent.name,
          worker.lost ? 'lost' : worker.state,
          `${worker.held}/${worker.slots}`,
          duration(worker.lastSeenAt - worker.startedAt),
        ],
        ...[agent.skills.join(', '), worker.workerId],
      ]),
    );
    table(
      ['AGENT', 'STATE', 'BUSY', 'UP', 'SKILLS', 'WORKER'],
      rows.sort((a, b) => (a[0]! < b[0]! ? -1 : 1)),
    ).forEach((line) => terminal.out(line));
  }
  return EXIT.ok;
}
