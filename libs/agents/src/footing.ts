/**
 * What the results of an agent rest on: tools of which at least one has to have answered. A model that calls none, be it because it would
 * rather write or because its server does not let it, has nothing that it could tell but what it made up.
 */
import { CadreError } from '@cadre/contracts';
import type { AgentDefinition, Assignment } from '@cadre/contracts';
import type { FinalReply } from './final-reading.js';
import type { ToolDesk } from './tool-desk.js';

/** Who is no surer than this says that the work could not be done. */
const NOTHING_DONE = 0.2;

/** `unsupported`: it stands, with that mark. `again`: the model is told. */
export type FootingVerdict = { kind: 'firm' } | { kind: 'unsupported' } | { kind: 'again'; why: string };

export class Footing {
  private told = false;

  /** @param tools at least one */
  private constructor(
    private readonly agent: string,
    private readonly tools: readonly string[],
    private readonly desk: ToolDesk,
  ) {}

  /**
   * @returns undefined where the result may rest on anything. Error `tools-not-granted` when the task leaves the agent none of what it
   * needs.
   */
  static of({ name, restsOn = [] }: AgentDefinition, { kind, title }: Assignment, desk: ToolDesk): Footing | undefined {
    if (restsOn.length === 0 || kind !== 'work') return undefined;
    const granted = desk.schemas().map((tool) => tool.name);
    const tools = restsOn.filter((tool) => granted.includes(tool));
    if (tools.length > 0) return new Footing(name, tools, desk);
    throw new CadreError(
      'tools-not-granted',
      `The results of ${name} rest on ${either(restsOn)}, and the task "${title}" lets it call none of them.`,
      { remedy: 'Add one of them to the tools of the task, or give the task to another agent.' },
    );
  }

  /** Error `no-tool-called`, once the model was told in vain. */
  judge({ answer, confidence }: FinalReply): FootingVerdict {
    const { desk, tools, agent } = this;
    if (tools.some((tool) => desk.outcomeOf(tool)?.ok)) return { kind: 'firm' };
    const failed = tools.flatMap((tool) => desk.outcomeOf(tool)?.error ?? []).at(-1);
    if (!this.told) {
      this.told = true;
      const what =
        failed === undefined ? `You have called none of ${listed(tools)}` : `None of ${listed(tools)} has given you a result (${failed})`;
      const why = `${what}, so your result rests on nothing. Call ${either(tools)} first, then finish. If that is not possible, say why, with a confidence of 0.`;
      return { kind: 'again', why };
    }
    if (confidence !== undefined && confidence <= NOTHING_DONE) return { kind: 'unsupported' };
    const cause =
      failed === undefined
        ? 'If the model meant to call tools, its server may have its tool parser switched off.'
        : `They answered with errors only, the last: ${failed}`;
    const message = `${agent} has called none of ${listed(tools)} with success, so its result would rest on nothing. ${cause} It said: ${answer.slice(0, 500)}`;
    throw new CadreError('no-tool-called', message, { retriable: true });
  }
}

function either(tools: readonly string[]): string {
  return tools.length < 2 ? tools.join('') : `${tools.slice(0, -1).join(', ')} or ${tools.at(-1) ?? ''}`;
}

function listed(tools: readonly string[]): string {
  return tools.join(', ');
}
