/** The work of an attempt without a run: every call is granted, nothing is on record. */
import type { AgentDefinition, AgentSummary, Assignment, CallGrant, CallSettlement, Command } from '@cadre/contracts';
import type { CommandSender } from '@cadre/engine';
import { CallDesk } from '../call-desk.js';
import { OwnerLine } from '../owner-line.js';
import type { Work } from '../performer.js';
import type { MadeCall } from '../settlement.js';
import { MemoryBlobs } from './memory-blobs.js';
import { plainDigest } from './plain-digest.js';

export interface SoloParts {
  assignment: Assignment;
  agent: AgentDefinition;
  catalogue?: AgentSummary[];
  signal?: AbortSignal;
  clock?: { now(): number };
  /** Answers a reservation with something else. */
  grant?: (key: string, name: string, number: number) => CallGrant | undefined;
}

export interface SoloWork {
  work: Work;
  made: MadeCall[];
  commands: Extract<Command, { type: 'RecordCalls' }>[];
  /** All settlements, once nothing is underway. */
  settled(): Promise<CallSettlement[]>;
}

export function soloWork(parts: SoloParts): SoloWork {
  const { assignment, agent, catalogue, signal = new AbortController().signal, clock = { now: () => 1000 } } = parts;
  const made: MadeCall[] = [];
  const commands: SoloWork['commands'] = [];
  const sender = grantingSender(commands, parts.grant ?? (() => undefined));
  let ids = 0;
  const chance = { random: () => 0.5, newId: () => `c${(ids += 1)}` };
  const line = new OwnerLine({ sender, chance }, 'w1', assignment, signal);
  const ports = {
    blobs: new MemoryBlobs(),
    digest: plainDigest,
    clock: { now: () => clock.now(), after: () => () => undefined, soon: () => undefined },
  };
  const calls = new CallDesk({
    ...{ line, ports, assignment, signal },
    onCall: (call) => void made.push(call),
    onClosed: () => undefined,
  });
  const work: Work = { assignment, agent, calls, signal, onClose: () => undefined, ...(catalogue && { catalogue }) };
  return { work, made, commands, settled: async () => [...commands.flatMap(({ settle }) => settle), ...(await calls.close())] };
}

function grantingSender(commands: SoloWork['commands'], grant: NonNullable<SoloParts['grant']>): CommandSender {
  return {
    send: async (given) =>
      given.map((command) => {
        if (command.type !== 'RecordCalls') throw new Error(`${command.type} has no owner here`);
        commands.push(command);
        const grants = command.reserve.map(({ key, name, try: number }) => grant(key, name, number) ?? { key, grant: 'granted' as const });
        return { id: command.id, outcome: 'accepted', result: JSON.parse(JSON.stringify({ grants })) };
      }),
  };
}
