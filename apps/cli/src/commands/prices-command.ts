/** `cadre prices list|check`: what models cost, and where the figures come from. */
import type { CadreClient } from '@cadre/sdk';
import type { KnownPrice, PriceBook } from '@cadre/models';
import type { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import { table } from '../output/table.js';
import type { Terminal } from '../terminal.js';
import { outputOption, urlOption, type Finish } from '../usual-options.js';
import { clientFor, gather, parseFormat } from './options.js';

interface PricesFlags {
  url?: string;
  output?: string;
  model?: string[];
}

/** A model, and who asks for it. */
interface Configured {
  model: string;
  usedBy: string[];
}

export function addPrices(program: Command, terminal: Terminal, finish: Finish): void {
  const prices = program
    .command('prices')
    .description('what models cost, in US dollars per million tokens, and where the figures come from');
  prices
    .command('list')
    .description('the prices that are known for the models of the server at OPENAI_BASE_URL')
    .option('--model <text>', 'only models whose name contains it; may be repeated', gather)
    .addOption(outputOption())
    .action(async (flags: PricesFlags) => finish(await listPrices(flags, terminal)));
  prices
    .command('check')
    .description('whether the price of each model that is configured is known; ends with 1 when one is not')
    .option('--model <name>', 'this model instead of CADRE_MODEL and those of the agents; may be repeated', gather)
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (flags: PricesFlags) => finish(await checkPrices(flags, terminal)));
}

/** The library is large, and most commands do without it. */
async function openBook({ env }: Terminal): Promise<PriceBook> {
  const { loadPrices } = await import('@cadre/models');
  return loadPrices(env['CADRE_PRICES']);
}

async function listPrices({ model: parts = [], output }: PricesFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(output ?? 'text');
  const known = (await openBook(terminal)).list(terminal.env['OPENAI_BASE_URL']);
  const wanted = parts.length === 0 ? known : known.filter(({ listedAs }) => parts.some((part) => listedAs.includes(part)));
  if (format === 'json') terminal.out(JSON.stringify({ prices: wanted.map(documentOf) }, null, 2));
  else if (wanted.length === 0) terminal.err('No price is known for such a model. Set one in CADRE_PRICES.');
  else
    table(['MODEL', 'INPUT', 'CACHED', 'TO CACHE', 'OUTPUT', 'AS OF', 'FROM'], wanted.flatMap(rowsOf)).forEach((line) =>
      terminal.out(line),
    );
  return EXIT.ok;
}

async function checkPrices({ model, output, url }: PricesFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(output ?? 'text');
  const book = await openBook(terminal);
  const models = model ? model.map((name) => ({ model: name, usedBy: [] })) : await configured(clientFor(url, terminal), terminal);
  const checked = models.map((each) => ({ ...each, known: book.find(each.model, terminal.env['OPENAI_BASE_URL']) }));
  const missing = checked.filter(({ known }) => known === undefined).map((each) => each.model);
  if (format === 'json') {
    const shown = checked.map(({ known, ...each }) => ({ ...each, known: known !== undefined, ...(known && documentOf(known)) }));
    terminal.out(JSON.stringify({ models: shown }, null, 2));
  } else {
    const rows = checked.map(({ known, usedBy, ...each }) => [each.model, usedBy.join(', '), ...verdictOf(known)]);
    table(['MODEL', 'USED BY', 'INPUT', 'OUTPUT', 'AS OF', 'FROM'], rows).forEach((line) => terminal.out(line));
  }
  if (missing.length === 0) return EXIT.ok;
  const example = JSON.stringify({ [missing[0]!]: { input: 0, output: 0 } });
  terminal.err(
    `Not known: ${missing.join(', ')}. Such models run without a budget only. Set the price: CADRE_PRICES='${example}' (0 for a model of your own).`,
  );
  return EXIT.failed;
}

/** What the services use by default, and what agents ask for instead. */
async function configured(client: CadreClient, { env, err }: Terminal): Promise<Configured[]> {
  const byModel = new Map<string, Set<string>>();
  const note = (model: string, who: string) => void byModel.set(model, (byModel.get(model) ?? new Set()).add(who));
  note(env['CADRE_MODEL'] || 'cadre-sim-1', 'CADRE_MODEL');
  try {
    const { workers, defined } = await client.definedAgents.list();
    for (const { agents } of workers) for (const agent of agents) if (agent.model !== undefined) note(agent.model, agent.name);
    for (const { name, definition } of defined) {
      for (const model of [definition?.model, ...(definition?.fallbackModels ?? []), definition?.underLoad?.model])
        if (model !== undefined) note(model, name);
    }
  } catch (error) {
    err(`The models of agents are not looked at: ${(error as Error).message}`);
  }
  return [...byModel].map(([model, who]) => ({ model, usedBy: [...who] }));
}

const figure = (value: number | undefined): string => (value === undefined ? '' : String(value));

/** One row, and one for each length of prompt from which on other prices hold. */
function rowsOf({ listedAs, price, date = '', source }: KnownPrice): string[][] {
  const row = (name: string, { input, cachedInput, cacheWrite, output }: Omit<typeof price, 'tiers'>) => [
    ...[name, figure(input), figure(cachedInput), figure(cacheWrite), figure(output), date, source],
  ];
  const tiers = (price.tiers ?? []).map((tier) => row(`  above ${tier.above.toLocaleString('en-US')} tokens`, tier));
  return [row(listedAs, price), ...tiers];
}

function verdictOf(known: KnownPrice | undefined): string[] {
  return known ? [figure(known.price.input), figure(known.price.output), known.date ?? '', known.source] : ['unknown', 'unknown', '', ''];
}

function documentOf({ listedAs, price, source, date }: KnownPrice) {
  return { listedAs, price, source, ...(date !== undefined && { date }) };
}
