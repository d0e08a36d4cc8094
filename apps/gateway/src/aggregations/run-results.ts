/** What runs have come to, read from the history, as results that a plan can hold. */
import {
  ANSWER_TASK,
  isTerminal,
  PLAN_TASK,
  utf8Bytes,
  type AggregationRequest,
  type ArtifactRef,
  type Content,
  type Given,
  type RunId,
  type RunView,
  type TenantId,
} from '@cadre/contracts';
import type { Blobs } from '@cadre/engine';
import type { TraceContext } from '@cadre/messaging';
import { InputProblem } from '@cadre/service-kit';
import type { HistoryClient } from '../history/history-client.js';
import { fairShare } from './fair-share.js';

/** Of JSON, for all answers of an aggregation together: its commits hold them three times. */
const INLINE_BYTES = 64 * 1024;
/** Of all its runs together. The others stay with the runs that made them. */
const MOST_ARTIFACTS = 100;
const PREVIEW_CHARACTERS = 400;
const MAX_NAME = 200;
/** Views of large runs are long; so many are read at once. */
const AT_ONCE = 8;

export interface RunResult {
  runId: RunId;
  goal: string;
  given: Given;
}

export class RunResults {
  constructor(
    private readonly history: HistoryClient,
    private readonly blobs: Blobs,
  ) {}

  /**
   * In the order of the request. A run without a result is an error, or has that as its given result where the request takes it in part.
   * @throws CadreError `unknown-run`, `unavailable` (retriable), InputProblem `unprocessable` naming each run that has no result
   */
  async read(tenant: TenantId, { runs, partial }: AggregationRequest, trace: TraceContext): Promise<RunResult[]> {
    const views: RunView[] = [];
    for (let from = 0; from < runs.length; from += AT_ONCE)
      views.push(...(await Promise.all(runs.slice(from, from + AT_ONCE).map((runId) => this.history.run(tenant, runId, trace)))));
    assertResults(views, partial);
    const share = fairShare(views.map(bytesOfAnswer), INLINE_BYTES);
    const artifacts = Math.max(1, Math.floor(MOST_ARTIFACTS / views.length));
    const results: RunResult[] = [];
    for (const view of views) {
      const { runId, goal, answer } = view;
      const given = answer === undefined ? { error: whyNone(view) } : await this.givenOf(view, answer, share, artifacts);
      results.push({ runId, goal, given });
    }
    return results;
  }

  /** A long answer is an artifact as well, for those who have to read all of it. */
  private async givenOf(run: RunView, whole: Content, share: number, most: number): Promise<Given> {
    const answer = bytesOfAnswer(run) <= share && 'text' in whole ? whole : await this.stored(whole, share);
    const own = run.artifacts.map((artifact) => under(run.runId, artifact));
    const long = 'ref' in answer ? [{ ...answer.ref, name: `${run.runId}/answer.md` }] : [];
    const artifacts = [...long, ...own.filter(({ name }) => name !== long[0]?.name)].slice(0, most);
    return { answer, confidence: confidenceOf(run), artifacts, ...(run.partial ? { partial: true as const } : {}) };
  }

  private async stored(answer: Content, share: number): Promise<Content> {
    const ref = 'ref' in answer ? answer.ref : await this.blobs.put(new TextEncoder().encode(answer.text), 'text/markdown');
    const text = 'ref' in answer ? answer.preview : answer.text;
    // Each character may take six bytes of JSON.
    return { ref, preview: text.slice(0, Math.min(PREVIEW_CHARACTERS, Math.floor(share / 6))).toWellFormed() };
  }
}

function bytesOfAnswer({ answer }: RunView): number {
  if (answer === undefined) return 0;
  return utf8Bytes(JSON.stringify('text' in answer ? answer.text : answer.preview));
}

function assertResults(views: readonly RunView[], partial: boolean): void {
  const without = views.filter(({ answer }) => answer === undefined);
  if (without.length === 0 || (partial && without.length < views.length)) return;
  const errors = views.flatMap((view, index) =>
    view.answer === undefined ? [{ path: `runs[${index}]`, message: whyNone(view).message }] : [],
  );
  const remedy = partial
    ? 'name at least one run that has completed'
    : 'wait for those that go on; with "partial": true the others are aggregated without them';
  throw new InputProblem('unprocessable', `Not all runs have a result: ${errors.map(({ message }) => message).join('; ')}`, {
    errors: errors.slice(0, 20),
    remedy,
  });
}

function whyNone({ runId, status, error, cancelReason }: RunView): { code: string; message: string; retriable: boolean } {
  if (!isTerminal(status)) return { code: 'run-not-ended', message: `run ${runId} has not ended (${status})`, retriable: false };
  const why = error?.message ?? cancelReason ?? '';
  const message = `run ${runId} ${status === 'failed' ? 'failed' : 'was cancelled'}${why === '' ? '' : `: ${why}`}`;
  return { code: status === 'failed' ? 'run-failed' : 'run-cancelled', message: message.slice(0, 1000), retriable: false };
}

/** That of its answer, if one was written; else the mean over what is known of its tasks' results. Null: not known. */
function confidenceOf({ tasks }: RunView): number | null {
  const brought = tasks.filter(({ taskId, status }) => status === 'completed' && !taskId.includes('~'));
  const written = brought.find(({ taskId }) => taskId === ANSWER_TASK);
  if (written) return written.confidence ?? null;
  const work = brought.filter(({ taskId }) => taskId !== PLAN_TASK);
  if (work.length === 0) return 1;
  const known = work.flatMap(({ confidence }) => (confidence === undefined ? [] : [confidence]));
  return known.length === 0 ? null : known.reduce((sum, confidence) => sum + confidence, 0) / known.length;
}

/** Artifacts of different runs may have the same name. */
function under(runId: RunId, artifact: ArtifactRef): ArtifactRef {
  const name = `${runId}/${artifact.name}`;
  if (name.length <= MAX_NAME) return { ...artifact, name };
  const [ending = ''] = /\.[A-Za-z0-9]{1,20}$/.exec(artifact.name) ?? [];
  return { ...artifact, name: `${runId}/${artifact.sha256.slice(0, 16)}${ending}` };
}
