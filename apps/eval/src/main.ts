/** `npm run eval`: thirty tasks on a model server, and a table of what was right. Exit code 1 when too little was. */
import { parseArgs } from 'node:util';
import { EvalSystem } from './evaluation/eval-system.js';
import { runTasks } from './evaluation/run-tasks.js';
import { EVAL_TASKS } from './evaluation/tasks.js';
import { verdictTable, type ByModel } from './evaluation/verdict-table.js';

const HELP = `Usage: npm run eval [-- OPTIONS]
Tries the built-in agents on the model server of OPENAI_BASE_URL (without it, on the deterministic model), with ${EVAL_TASKS.length} tasks.
  --model NAME   a model of that server; may be repeated (default: CADRE_MODEL, or the server's own)
  --only NAME    a task or an agent; may be repeated (default: everything)
  --width N      tasks under way at once (default 2)
  --share S      the part of the tasks that has to be right, for exit code 0 (default 0.9)
  --list         says the tasks and what is looked at
  -o, --output json
`;

const log = (line: string): void => void process.stdout.write(`${line}\n`);
const note = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', multiple: true, default: [] },
      only: { type: 'string', multiple: true, default: [] },
      width: { type: 'string', default: '2' },
      share: { type: 'string', default: '0.9' },
      list: { type: 'boolean', default: false },
      output: { type: 'string', short: 'o', default: 'text' },
      help: { type: 'boolean', default: false },
    },
  });
  const tasks = EVAL_TASKS.filter(({ id, agent }) => values.only.length === 0 || values.only.includes(id) || values.only.includes(agent));
  const [width, share] = [Number(values.width), Number(values.share)];
  if (values.help) return (log(HELP), 0);
  if (values.list) return (tasks.forEach(({ id, agent, checks }) => log(`${id}  ${agent}: ${Object.keys(checks).join(', ')}`)), 0);
  if (tasks.length === 0 || !(width >= 1) || !(share >= 0 && share <= 1)) return (note(HELP), 2);
  const byModel = await evaluate(values.model, tasks, width);
  log(values.output === 'json' ? JSON.stringify({ models: byModel }, null, 2) : verdictTable(byModel));
  const isGood = (verdicts: ByModel[string]): boolean => verdicts.filter(({ ok }) => ok).length >= Math.ceil(share * verdicts.length);
  return Object.values(byModel).every(isGood) ? 0 : 1;
}

async function evaluate(models: readonly string[], tasks: typeof EVAL_TASKS, width: number): Promise<ByModel> {
  const system = await EvalSystem.start(process.env);
  const byModel: Record<string, ByModel[string]> = {};
  try {
    for (const model of models.length > 0 ? models : [undefined]) {
      const name = model ?? process.env['CADRE_MODEL'] ?? 'cadre-sim-1';
      const onVerdict = ({ id, ok }: ByModel[string][number]): void => note(`${ok ? 'right' : 'WRONG'}  ${name}  ${id}`);
      byModel[name] = await runTasks(system.client, system.proxy, tasks, { width, onVerdict, ...(model !== undefined && { model }) });
    }
  } finally {
    await system.stop();
  }
  return byModel;
}

process.exitCode = await main().catch((error: unknown) => {
  note(error instanceof Error ? error.message : String(error));
  return 2;
});
