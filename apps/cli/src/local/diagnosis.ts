/** The checks of `cadre doctor`, from the machine up to the agents. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type CadreError, SKILLS } from '@cadre/contracts';
import { fixedPorts, installationRoot, LOCAL_SERVICES, mainOf, takenPorts } from '@cadre/local-system';
import { findNatsServer } from '@cadre/nats-server';
import type { CadreClient } from '@cadre/sdk';
import type { Terminal } from '../terminal.js';
import { isWritable } from './data-folder.js';
import { fail, ok, warn } from './finding.js';
import type { Finding } from './finding.js';
import { modelFindings } from './model-findings.js';
import { modelsInUse } from './models-in-use.js';

export async function* diagnose(client: CadreClient, data: string, terminal: Terminal): AsyncGenerator<Finding> {
  yield checkNode(process.versions.node);
  yield checkBuild(terminal.env['CADRE_ROOT'] ?? installationRoot);
  yield await checkNatsServer(terminal.env);
  yield await checkDataFolder(resolve(terminal.cwd, data));
  const health = await client.health({ signal: AbortSignal.timeout(5000) }).catch((error: unknown) => error as CadreError);
  if (!('live' in health)) {
    yield await explainAbsence(client.baseUrl);
    // A model server of one's own can be tried before Cadre runs; the built-in one comes with it.
    if (namesModel(terminal.env)) yield* checkModel(client.baseUrl, terminal);
    return;
  }
  yield ok('Gateway', `answers at ${client.baseUrl}`);
  yield checkReady(health.ready, health.detail);
  yield await checkAgents(client);
  yield* checkModel(client.baseUrl, terminal);
}

export function checkNode(version: string): Finding {
  const major = Number(version.split('.')[0]);
  if (major < 22)
    return fail('Node', `version ${version} is too old`, 'Install Node 24, or use `npx cadre` in the checkout, which brings its own.');
  return ok('Node', version);
}

function checkBuild(root: string): Finding {
  const missing = LOCAL_SERVICES.filter((service) => !existsSync(mainOf(root, service))).map(({ name }) => name);
  if (missing.length === 0) return ok('Build', `all ${LOCAL_SERVICES.length} services are built`);
  return fail('Build', `not built: ${missing.join(', ')}`, `Run \`npm ci && npm run build\` in ${root}.`);
}

async function checkNatsServer(env: NodeJS.ProcessEnv): Promise<Finding> {
  try {
    const { path, version, from } = await findNatsServer({ env, offline: true });
    return ok('nats-server', `${version} at ${path} (${from})`);
  } catch (error) {
    const { code, message, remedy = '' } = error as CadreError;
    if (code === 'nats-server-missing') {
      return warn(
        'nats-server',
        'none on this machine yet',
        'Nothing: `cadre dev` and `cadre demo` fetch one. Without a network, set CADRE_NATS_SERVER to a binary.',
      );
    }
    return fail('nats-server', message, remedy);
  }
}

async function checkDataFolder(path: string): Promise<Finding> {
  if (await isWritable(path)) return ok('Data folder', path);
  return fail('Data folder', `${path} cannot be written to`, 'Change its rights, or choose another with --data.');
}

/** No gateway: is it only not started, or is something else in its place? */
async function explainAbsence(baseUrl: string): Promise<Finding> {
  const { hostname, port, protocol } = new URL(baseUrl);
  const local = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
  if (!local) return fail('Gateway', `nothing answers at ${baseUrl}`, 'Check CADRE_URL (or --url), and that Cadre runs there.');
  const base = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  const taken = await takenPorts(fixedPorts(base));
  if (taken.length === 0) return fail('Gateway', `nothing runs at ${baseUrl}; its ports are free`, 'Start Cadre with `cadre dev`.');
  const list = taken.map(([name, at]) => `${at} (${name})`).join(', ');
  return fail(
    'Gateway',
    `no gateway answers at ${baseUrl}, and these of its ports are in use: ${list}`,
    `If Cadre is just starting, wait. Else stop what uses them, or use others: cadre dev --port ${base + 100}`,
  );
}

function checkReady(ready: boolean, detail: unknown): Finding {
  if (ready) return ok('Services', 'the gateway reports ready');
  const checks = (detail as { checks?: Record<string, { ok?: boolean; detail?: string }> } | undefined)?.checks ?? {};
  const bad = Object.entries(checks).filter(([, check]) => check.ok !== true);
  const list = bad.map(([name, check]) => (check.detail === undefined ? name : `${name} (${check.detail})`)).join(', ');
  return fail(
    'Services',
    `the gateway is not ready${list === '' ? '' : `: ${list}`}`,
    'Wait some seconds; if it stays so, read the logs (with `cadre dev`: .cadre/logs).',
  );
}

async function checkAgents(client: CadreClient): Promise<Finding> {
  const workers = await client.agents().catch(() => []);
  const alive = workers.filter(({ lost }) => !lost);
  const lost = workers.filter((worker) => worker.lost);
  const skills = new Set(alive.flatMap(({ agents }) => agents.flatMap((agent) => agent.skills)));
  const missing = Object.values(SKILLS).filter((skill) => !skills.has(skill));
  if (alive.length === 0)
    return fail('Agents', 'no worker is heard', 'Start the workers (`cadre dev` does), and read their logs if they end.');
  if (missing.length > 0)
    return fail('Agents', `nobody has the skills ${missing.join(', ')}`, 'Start the worker that has them, and read its log if it ends.');
  const agents = alive.flatMap((worker) => worker.agents.map(({ name }) => name));
  if (lost.length > 0) {
    return warn(
      'Agents',
      `${agents.length} present, lost: ${lost.map(({ workerId }) => workerId).join(', ')}`,
      'Nothing, if they were stopped; else read their logs.',
    );
  }
  return ok('Agents', `${agents.length} present: ${agents.sort().join(', ')}`);
}

const namesModel = (env: Terminal['env']): boolean => (env['OPENAI_BASE_URL'] ?? '') !== '' || (env['CADRE_MODELS'] ?? '') !== '';

/** The models as this environment names them; else the one of `cadre dev`, beside the gateway, which is only looked at. */
async function* checkModel(baseUrl: string, terminal: Terminal): AsyncGenerator<Finding> {
  const builtIn = `http://127.0.0.1:${fixedPorts(Number(new URL(baseUrl).port))['model-sim']}/v1`;
  try {
    const inUse = await modelsInUse(terminal, builtIn);
    if (namesModel(terminal.env)) {
      yield* modelFindings(inUse, inUse.defaultModel, true);
      return;
    }
    const look = await inUse.look(inUse.file.servers['default']!);
    if (look.kind === 'answers') yield ok('Model server', `the built-in one answers at ${builtIn}`);
    else
      yield warn(
        'Model server',
        `nothing answers at ${builtIn}`,
        'If the workers use another model server, set OPENAI_BASE_URL (or CADRE_MODELS) here too to have it checked.',
      );
  } catch (error) {
    const { message, remedy = '' } = error as CadreError;
    yield fail('Model', message, remedy);
  }
}
