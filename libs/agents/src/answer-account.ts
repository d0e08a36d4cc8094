/**
 * An answer accounts for the goal: it says where each part is done, and that is looked up in what was made. What it leaves out it is told,
 * once; what stays open then is named at its very top and missing from the run. All of it follows from the assignment and the replies, so
 * that a later attempt comes to the same.
 */
import type { ArtifactRef, Assignment } from '@cadre/contracts';
import { notDoneLine, openParts, readParts } from '@cadre/engine';
import type { GoalPart, OpenPart, Output } from '@cadre/engine';
import { repairMessage } from './conversation.js';
import type { FinalReply } from './final-reading.js';
import { namedMissing } from './named-missing.js';
import type { AttemptMeans } from './attempt-means.js';
import type { ModelMessage } from './ports.js';

/** What is read of artifacts: the first ones, each not whole. */
const MOST_ARTIFACTS = 100;
const READ_BYTES = 200_000;
const READABLE = /^text\/|json|xml|yaml|javascript|typescript|svg|markdown/;

export class AnswerAccount {
  private readonly parts: readonly GoalPart[];
  private outputs: Promise<Output[]> | undefined;
  private open: readonly OpenPart[] = [];
  private isTold = false;

  constructor(
    private readonly assignment: Assignment,
    private readonly means: Pick<AttemptMeans, 'readContent' | 'readArtifact'>,
  ) {
    this.parts = readParts(assignment.account?.parts ?? [], assignment.goal);
  }

  /** Looks at an answer. @returns what it is told if it leaves something out without saying so; the second time nothing */
  async look(final: FinalReply): Promise<ModelMessage | undefined> {
    if (!this.assignment.account) return undefined;
    this.outputs ??= this.read();
    const { goal, inputs } = this.assignment;
    this.open = openParts({
      ...{ goal, parts: this.parts, inputs: inputs.map(({ name }) => name), claims: final.claims ?? [] },
      outputs: [...(await this.outputs), { place: 'answer', text: final.answer }],
    });
    const unsaid = this.open.filter(({ admitted }) => !admitted);
    if (unsaid.length === 0 || this.isTold) return undefined;
    this.isTold = true;
    const lines = unsaid.map(({ part, text, why }) => `- part ${part}, "${text}": ${why}`).join('\n');
    return repairMessage(
      `These parts of the goal are not accounted for:\n${lines}\nIf the results have them, put them into the answer and say in "parts" where each is ` +
        '(a path of an artifact, the id of a task that was completed, or "answer"); if not, say {"part": N, "done": false, "where": []}. ' +
        'Send the whole object again.',
    );
  }

  /** The answer as it stands, with what is missing at its top. */
  settle({ claims: _, missing = [], ...final }: FinalReply): FinalReply {
    const { account, results } = this.assignment;
    // A caller's own plan is what the caller wants: there each task speaks for itself.
    const unmet = account ? [...this.open.map(({ text }) => text), ...account.undone] : results.flatMap((result) => result.missing ?? []);
    const named = namedMissing([...unmet, ...missing]);
    if (!named) return final;
    return { ...final, answer: `${notDoneLine(named)}\n\n${final.answer}`, missing: named };
  }

  private async read(): Promise<Output[]> {
    const done = this.assignment.results.filter(({ status }) => status === 'completed');
    const artifacts = new Map(done.flatMap((result) => result.artifacts).map((artifact) => [artifact.name, artifact]));
    const answers = done.map(async ({ taskId, title, answer }): Promise<Output> => {
      return { place: taskId, title, ...(answer && { text: await this.means.readContent(answer) }) };
    });
    return Promise.all([...[...artifacts.values()].slice(-MOST_ARTIFACTS).map((artifact) => this.readArtifact(artifact)), ...answers]);
  }

  private async readArtifact(artifact: ArtifactRef): Promise<Output> {
    const place = artifact.name;
    if (!READABLE.test(artifact.mediaType) || artifact.size > READ_BYTES) return { place };
    const text = await this.means.readArtifact?.(artifact);
    return { place, ...(text !== undefined && { text }) };
  }
}
