/** `cadre budget`: the cap over all runs together, and what they have cost. */
import type { TenantBudgetView } from '@cadre/contracts';
import { EXIT } from '../exit-codes.js';
import { money } from '../output/figures.js';
import type { Terminal } from '../terminal.js';
import { clientFor, parseFormat, parseMoney } from './options.js';

interface BudgetCommandFlags {
  url?: string;
  output?: string;
}

export async function showBudget(flags: BudgetCommandFlags, terminal: Terminal): Promise<number> {
  show(await clientFor(flags.url, terminal).tenantBudget(), flags, terminal);
  return EXIT.ok;
}

/** @param amount US dollars; undefined takes the cap away */
export async function setBudget(amount: string | undefined, flags: BudgetCommandFlags, terminal: Terminal): Promise<number> {
  const capMicros = amount === undefined ? null : parseMoney('The budget')(amount);
  show(await clientFor(flags.url, terminal).setTenantBudget(capMicros), flags, terminal);
  return EXIT.ok;
}

function show(budget: TenantBudgetView, flags: BudgetCommandFlags, terminal: Terminal): void {
  if (parseFormat(flags.output ?? 'text') === 'json') return terminal.out(JSON.stringify(budget, null, 2));
  const { capMicros, settledMicros, reservedMicros } = budget;
  terminal.out(`Cap    ${capMicros === null ? 'none' : `${money(capMicros)} for all runs together`}`);
  terminal.out(
    `Spent  ${money(settledMicros)}${reservedMicros === 0 ? '' : `, and ${money(reservedMicros)} set aside for calls under way`}`,
  );
  if (capMicros !== null) terminal.out(`Left   ${money(Math.max(0, capMicros - settledMicros - reservedMicros))}`);
}
