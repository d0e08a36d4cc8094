/**
 * Runs an example against `cadre dev`: `node examples/run.mjs 04-map-reduce`. Starts the agents that it needs (`team.mjs`), sends the plan,
 * prints what each task brought, and stops them.
 */
import { spawn } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CadreClient } from '@cadre/sdk';

const folder = import.meta.dirname;
const [name] = process.argv.slice(2);
const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
if (name === undefined || !names.includes(name)) {
  console.error(`Usage: node examples/run.mjs NAME\nNAME is one of ${names.join(', ')}.`);
  process.exit(2);
}

const baseUrl = process.env.CADRE_URL ?? 'http://127.0.0.1:7400';
const env = {
  LOG_LEVEL: 'warn',
  NATS_URL: 'nats://127.0.0.1:7422',
  CADRE_MCP_SERVERS: join(folder, '23-mcp-tools/mcp.yaml'),
  ...process.env,
};
const worker = spawn(process.execPath, [join(folder, 'team.mjs')], { env, stdio: ['ignore', 'ignore', 'inherit'] });
const left = new Promise((_, reject) => {
  worker.once('exit', () => reject(new Error('The agents of the examples have stopped; see above.')));
});
try {
  await Promise.race([left, runExample()]);
} catch (error) {
  console.error(error.remedy === undefined ? error.message : `${error.message} ${error.remedy}`);
  process.exitCode = 1;
} finally {
  worker.kill();
}
process.exit();

async function runExample() {
  const client = new CadreClient({ baseUrl });
  const example = JSON.parse(await readFile(join(folder, name, 'example.json'), 'utf8'));
  const { before, event, grants = {}, channels = [], agents = {}, removed = {}, ...main } = example;
  for (const channel of channels) await client.channels.put(channel);
  for (const [agent, rules] of Object.entries(grants)) await client.context.setGrants(agent, rules);
  for (const [agent, definition] of Object.entries(agents)) await define(client, agent, definition);
  for (const [agent, handTo] of Object.entries(removed)) await client.definedAgents.remove(agent, { handTo });
  if (before) await client.waitForEnd(await started(client, before));
  const runId = await started(client, main);
  if (event) await waiting(client, runId).then(() => client.sendEvent(event));
  const run = await client.waitForEnd(runId);
  for (const task of run.tasks.filter(({ taskId }) => !taskId.includes('~'))) {
    console.log(`${task.taskId}: ${task.answer?.text ?? task.status}`);
  }
  console.log(`The run is ${run.status}.`);
  process.exitCode = run.status === 'completed' ? 0 : 1;
}

async function started(client, { plan, params }) {
  const { runId } = await client.startRun({ goal: `The example ${name}`, plan, params, options: { summarize: false } });
  return runId;
}

/** As soon as a worker offers its template. */
async function define(client, agent, definition) {
  const isOffered = ({ templates }) => templates.some((template) => template.name === definition.template);
  while (!isOffered(await client.definedAgents.list())) await sleep(100);
  await client.definedAgents.define(agent, definition);
}

/** Until a task waits for an event. */
async function waiting(client, runId) {
  while (!(await client.getRun(runId)).tasks.some(({ status }) => status === 'open')) await sleep(100);
}
