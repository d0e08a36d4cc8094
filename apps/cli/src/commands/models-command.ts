/** `cadre models list|test`: which models agents may ask for, where they are, and whether they work. */
import { fixedPorts } from '@cadre/local-system';
import type { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import type { Finding } from '../local/finding.js';
import { modelFindings } from '../local/model-findings.js';
import { modelsInUse } from '../local/models-in-use.js';
import type { ModelsInUse, TargetInUse } from '../local/models-in-use.js';
import { table } from '../output/table.js';
import type { Terminal } from '../terminal.js';
import { outputOption, type Finish } from '../usual-options.js';
import { showFinding } from './doctor-command.js';
import { parseFormat } from './options.js';

interface ModelsFlags {
  file?: string;
  output?: string;
}

export function addModels(program: Command, terminal: Terminal, finish: Finish): void {
  const models = program.command('models').description('the models that agents may ask for, as this environment names them');
  const file = ['--file <path>', 'the models file; default: CADRE_MODELS, else the server at OPENAI_BASE_URL'] as const;
  models
    .command('list')
    .description('each model with its targets, their keys and prices; checks the models file')
    .option(...file)
    .addOption(outputOption())
    .action(async (flags: ModelsFlags) => finish(await listModels(flags, terminal)));
  models
    .command('test')
    .description('asks each target of a model, with a tool and with a format; this may cost a little. Ends with 1 when one fails')
    .argument('[model]', 'default: the one that agents are given who name none')
    .option(...file)
    .addOption(outputOption())
    .action(async (model: string | undefined, flags: ModelsFlags) => finish(await testModel(model, flags, terminal)));
}

/** The deterministic model server of `cadre dev`. */
export function builtInModelUrl(gatewayPort: number): string {
  return `http://127.0.0.1:${fixedPorts(gatewayPort)['model-sim']}/v1`;
}

const GATEWAY_PORT = 7400;

async function listModels({ file, output }: ModelsFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(output ?? 'text');
  const inUse = await modelsInUse(terminal, builtInModelUrl(GATEWAY_PORT), file);
  if (format === 'json') {
    terminal.out(
      JSON.stringify({ default: inUse.defaultModel, targets: inUse.targets.map((target) => documentOf(inUse, target)) }, null, 2),
    );
    return EXIT.ok;
  }
  const rows = inUse.targets.map((target) => rowOf(inUse, target));
  table(['MODEL', 'POLICY', 'TARGET', 'API', 'URL', 'KEY', 'INPUT', 'OUTPUT'], rows).forEach((line) => terminal.out(line));
  const { others } = inUse.file;
  terminal.err(
    others === undefined
      ? `Default: ${inUse.defaultModel}`
      : `Default: ${inUse.defaultModel}. Every other name is asked of the server ${others}.`,
  );
  return EXIT.ok;
}

async function testModel(model: string | undefined, { file, output }: ModelsFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(output ?? 'text');
  const inUse = await modelsInUse(terminal, builtInModelUrl(GATEWAY_PORT), file);
  const findings: Finding[] = [];
  for await (const finding of modelFindings(inUse, model ?? inUse.defaultModel, true)) {
    findings.push(finding);
    if (format === 'text') showFinding(finding, terminal);
  }
  const works = findings.every(({ status }) => status !== 'fail');
  if (format === 'json') terminal.out(JSON.stringify({ model: model ?? inUse.defaultModel, works, checks: findings }, null, 2));
  return works ? EXIT.ok : EXIT.failed;
}

const policyOf = ({ file }: ModelsInUse, model: string) => file.models[model]?.policy ?? 'order';

function keyText({ server, keyMissing }: TargetInUse): string {
  if (!server.key) return 'none';
  const name = 'env' in server.key ? server.key.env : server.key.file;
  return keyMissing === undefined ? name : `${name} (missing)`;
}

function rowOf(inUse: ModelsInUse, each: TargetInUse): string[] {
  const { model, target, server, price } = each;
  const figures = price ? [String(price.input), String(price.output)] : ['unknown', 'unknown'];
  return [model, policyOf(inUse, model), `${target.server}/${target.model}`, server.api, server.url, keyText(each), ...figures];
}

function documentOf(inUse: ModelsInUse, each: TargetInUse): object {
  const { model, target, server, price, keyMissing, proxy } = each;
  const { url, api } = server;
  return {
    ...{ model, policy: policyOf(inUse, model), server: target.server, targetModel: target.model, url, api },
    ...(price && { price }),
    ...(keyMissing !== undefined && { keyMissing }),
    ...(proxy !== undefined && { proxy }),
  };
}
