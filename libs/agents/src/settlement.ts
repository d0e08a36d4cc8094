/** Calls as they are asked for and as they end. */
import type { ArtifactRef, CallBody, CallKey, CallKind, CallSettlement, ToolEffect } from '@cadre/contracts';

/** A call to be made, or to be found on record. */
export interface CallRequest {
  kind: CallKind;
  /** Model or tool name. */
  name: string;
  effect: ToolEffect;
  /** Its place; see `CallDesk.nextPath` and `effectPath`. */
  path: string;
  /** What it is asked, or a digest of it. */
  input: string;
  /** Upper bound of its cost. */
  maxCostMicros: number;
  /** The least that it can be made for; left out: it is made whole, or not at all. */
  minCostMicros?: number;
  /** The price is not known. */
  unpriced?: boolean;
  /** The attempt can do without: if it does not fit under a cap it is not made, and the attempt goes on. */
  optional?: boolean;
  /** It reads or changes what others may change meanwhile. */
  ofTheMoment?: true;
}

/** What a call answered. */
export interface CallAnswer {
  /** False also for a tool that answers with an error. */
  ok: boolean;
  text: string;
  /** One line for people. */
  note: string;
  inputTokens?: number;
  outputTokens?: number;
  costMicros?: number;
  /** Files of the workspace that it wrote, stored as blobs. */
  files?: ArtifactRef[];
}

/** A call that was made and has ended. */
export interface MadeCall extends CallSettlement {
  kind: CallKind;
  name: string;
}

const MAX_NOTE = 300;
/** Of counts and money; see `Micros`. */
const MAX_COUNT = 1_000_000_000_000_000;

export function settlementOf(
  { request, key, try: number, startedAt }: { request: CallRequest; key: CallKey; try: number; startedAt: number },
  how: { outcome: 'done'; answer: CallAnswer; body: CallBody } | { outcome: 'failed' | 'unknown'; note: string },
  now: number,
): CallSettlement {
  const times = { at: whole(startedAt), durationMs: whole(now - startedAt) };
  const head = { key, try: number, outcome: how.outcome, ...times };
  if (how.outcome !== 'done') {
    const costMicros = how.outcome === 'unknown' ? request.maxCostMicros : 0;
    return { ...head, ok: false, note: noteOf(how.note), inputTokens: 0, outputTokens: 0, costMicros };
  }
  const { ok, note, inputTokens, outputTokens, costMicros, files } = how.answer;
  const used = { inputTokens: whole(inputTokens), outputTokens: whole(outputTokens), costMicros: whole(costMicros) };
  return { ...head, ok, note: noteOf(note), ...used, body: how.body, ...(files && files.length > 0 && { files }) };
}

function noteOf(text: string): string {
  return text.slice(0, MAX_NOTE).toWellFormed();
}

/** Servers report odd counts at times; what is not a count is none. */
export function whole(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) && value > 0 ? Math.min(Math.round(value), MAX_COUNT) : 0;
}
