/**
 * What `cadre doctor` and `cadre models test` say of models: their server, key, window, price, proxy, and how they take a tool and a
 * format.
 */
import type { ProbeOutcome, ServerLook } from '@cadre/models';
import { fail, ok, warn } from './finding.js';
import type { Finding } from './finding.js';
import type { ModelsInUse, TargetInUse } from './models-in-use.js';

const PROBE_MS = 180_000;
/** An agent's instructions, its tools and one result of a tool do not fit into less. */
const SMALL_WINDOW = 8192;

const nameOf = ({ target }: TargetInUse) => `${target.server}/${target.model}`;

/** Of the targets that are asked for by this name. @param calls whether real calls are made, which may cost something */
export async function* modelFindings(inUse: ModelsInUse, model: string, calls: boolean): AsyncGenerator<Finding> {
  const targets = inUse.targets.filter((target) => target.model === model);
  if (targets.length === 0) {
    const names = [...new Set(inUse.targets.map((target) => target.model))].join(', ');
    yield fail('Model', `there is no model ${model}; there are: ${names}`, 'Ask for one that is there, or add it to the models file.');
  }
  for (const target of targets) yield* targetFindings(inUse, target, calls);
}

async function* targetFindings(inUse: ModelsInUse, target: TargetInUse, calls: boolean): AsyncGenerator<Finding> {
  const name = `Model ${nameOf(target)}`;
  if (target.keyMissing !== undefined) {
    yield fail(name, `its key is to be in ${target.keyMissing}, which is not there`, `Set ${target.keyMissing} where the workers run.`);
    return;
  }
  const look = await inUse.look(target.server);
  const server = serverFinding(name, target, look);
  yield server;
  if (server.status === 'fail') return;
  if (look.kind === 'answers' && look.models) yield await listedFinding(name, target, look.models);
  yield priceFinding(name, target);
  if (calls) yield* probeFindings(inUse, target, name);
}

function serverFinding(name: string, { server, proxy }: TargetInUse, look: ServerLook): Finding {
  const through = proxy === undefined ? '' : `, through the proxy ${proxy}`;
  switch (look.kind) {
    case 'answers':
      return ok(name, `answers at ${server.url}${through}`);
    case 'refuses-key':
      return fail(
        name,
        `${server.url} refuses the key`,
        'Set the key of this server to a valid one (OPENAI_API_KEY, or `key` in the models file).',
      );
    case 'status':
      return warn(
        name,
        `${server.url}/models answers with status ${look.status}`,
        'Check the URL; that of an OpenAI-compatible server usually ends in /v1.',
      );
    case 'absent': {
      const proxies = proxy === undefined ? '' : ' Where the server needs no proxy, name its host in NO_PROXY.';
      const untrusted = /certificate/i.test(look.why) ? ' NODE_EXTRA_CA_CERTS names a file with the certificate of its authority.' : '';
      return fail(
        name,
        `nothing answers at ${server.url}${through}: ${look.why}`,
        `Check the URL (OPENAI_BASE_URL), and that the server runs.${untrusted}${proxies}`,
      );
    }
  }
}

async function listedFinding(name: string, { target }: TargetInUse, models: { id: string; contextTokens?: number }[]): Promise<Finding> {
  const { listedAs } = await import('@cadre/models');
  const listed = listedAs(models, target.model);
  if (!listed) {
    const some = models
      .slice(0, 8)
      .map(({ id }) => id)
      .join(', ');
    return warn(
      name,
      `the server does not list it; it lists ${some || 'nothing'}${models.length > 8 ? ', …' : ''}`,
      'Set CADRE_MODEL (or `model` of the target) to a name of the list.',
    );
  }
  const window = target.contextTokens ?? listed.contextTokens;
  if (window === undefined) return ok(name, 'the server lists it');
  if (window >= SMALL_WINDOW) return ok(name, `the server lists it, with a window of ${window} tokens`);
  return warn(
    name,
    `its window is only ${window} tokens`,
    'Give it more where the server is started (llama.cpp: --ctx-size, Ollama: OLLAMA_CONTEXT_LENGTH, vLLM: --max-model-len).',
  );
}

function priceFinding(name: string, { target, price }: TargetInUse): Finding {
  if (price) return ok(name, `costs $${price.input} and $${price.output} per million tokens of input and output (${price.source})`);
  const set = JSON.stringify({ [target.model]: { input: 0, output: 0 } });
  return warn(
    name,
    'its price is not known: runs with a budget refuse it, and what it costs is shown as unknown',
    `Set CADRE_PRICES='${set}' (0 for a model of your own), or \`price\` in the models file.`,
  );
}

async function* probeFindings({ servers }: ModelsInUse, { model, target }: TargetInUse, name: string): AsyncGenerator<Finding> {
  const { probeModel } = await import('@cadre/models');
  const routed = servers.targetsOf(model).find((each) => each.name === `${target.server}/${target.model}`);
  if (!routed) return;
  const { tool, format, tookMs, costMicros } = await probeModel(routed.port, routed.model, AbortSignal.timeout(PROBE_MS), Date.now);
  yield outcomeFinding(
    name,
    'calls the tool that it is given',
    tool,
    'Switch on the tool parser of the server (vLLM: --enable-auto-tool-choice --tool-call-parser, llama.cpp: --jinja), or take a model that knows tools.',
  );
  yield outcomeFinding(
    name,
    'keeps to the format of an answer',
    format,
    'Nothing: Cadre asks again where an answer cannot be read. CADRE_RESPONSE_FORMAT=none leaves the wish out.',
    warn,
  );
  const cost = costMicros === undefined ? '' : `, $${(costMicros / 1e6).toFixed(6)}`;
  yield ok(name, `two calls took ${(tookMs / 1000).toFixed(1)} s${cost}`);
}

function outcomeFinding(name: string, what: string, outcome: ProbeOutcome, fix: string, worst: typeof warn = fail): Finding {
  if (outcome.kind === 'ok') return ok(name, what);
  if (outcome.kind === 'ignored') return worst(name, `not so: ${what}. It answered: ${outcome.answer || '(nothing)'}`, fix);
  return fail(name, outcome.error.message, outcome.error.remedy ?? fix);
}
