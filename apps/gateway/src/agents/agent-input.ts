/** From what comes in about agents to what their desk takes. */
import { AgentName, DefinedAgent, restsOnFaults, underLoadFault } from '@cadre/contracts';
import { inputProblem } from '@cadre/service-kit';
import { assertStorable } from '../runs/storable.js';
import { unknownAgent } from './agent-desk.js';

/** Nobody is told of names that cannot be. @throws CadreError `unknown-agent` */
export function agentNamed(name: string): AgentName {
  if (AgentName.safeParse(name).success) return name;
  throw unknownAgent(name);
}

/** @param name of the path @throws InputProblem `invalid-request` */
export function parseAgent(value: unknown, name: string): DefinedAgent {
  assertStorable(value);
  assertName(name, 'name');
  const parsed = DefinedAgent.safeParse(value ?? {});
  if (!parsed.success) throw inputProblem(parsed.error.issues, 'agent');
  const { underLoad, tools, restsOn } = parsed.data;
  const senseless = underLoad && underLoadFault(underLoad, name);
  if (senseless !== undefined) throw inputProblem([{ path: ['underLoad'], message: senseless }], 'agent');
  const faults = tools && restsOn ? restsOnFaults({ tools, restsOn }) : [];
  if (faults.length > 0) throw inputProblem([{ path: ['restsOn'], message: faults.join(' ') }], 'agent');
  return parsed.data;
}

/** @param handTo of the query @throws InputProblem `invalid-request` */
export function parseStandIn(handTo: string | undefined): AgentName | undefined {
  if (handTo !== undefined) assertName(handTo, 'handTo');
  return handTo;
}

function assertName(name: string, path: string): void {
  const parsed = AgentName.safeParse(name);
  if (!parsed.success) throw inputProblem([{ path: [path], message: parsed.error.issues[0]?.message ?? 'is no name of an agent' }]);
}
