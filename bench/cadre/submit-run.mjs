/** Starts a run with a plan, in as many commands as it takes: a large plan does not fit into one message. */
import { randomUUID } from 'node:crypto';

const PART_TASKS = 1000;

/** @param run `{ runId, tenant, goal, options, tasks }` @throws when a command is refused */
export async function submitRun(sender, { tasks, options, ...run }) {
  const parts = Array.from({ length: Math.ceil(tasks.length / PART_TASKS) }, (_, i) => tasks.slice(i * PART_TASKS, (i + 1) * PART_TASKS));
  const [first, ...more] = parts;
  await send(sender, {
    ...{ type: 'StartRun', id: randomUUID(), ...run, inputs: [], fingerprint: run.runId, options, plan: { tasks: first } },
    ...(more.length > 0 && { morePlan: true }),
  });
  const { runId, tenant } = run;
  for (const [i, part] of more.entries()) {
    await send(sender, { type: 'AddTasks', id: randomUUID(), runId, tenant, part: i + 2, tasks: part, last: i === more.length - 1 });
  }
}

async function send(sender, command) {
  const [reply] = await sender.send([command]);
  if (reply.outcome !== 'accepted' && reply.outcome !== 'duplicate') throw new Error(`${command.type}: ${JSON.stringify(reply)}`);
}
