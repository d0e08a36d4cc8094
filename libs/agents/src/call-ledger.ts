/** Counts what an attempt uses and tells of each finished call. */
import type { CallRecord, Usage } from '@cadre/contracts';
import { NO_USAGE } from '@cadre/contracts';
import type { ModelReply } from './ports.js';

const MAX_NOTE = 300;
const MAX_NAME = 200;

export interface FinishedCall {
  name: string;
  ok: boolean;
  note: string;
  startedAt: number;
}

export class CallLedger {
  private total: Usage = { ...NO_USAGE };
  private n = 0;

  constructor(
    private readonly clock: { now(): number },
    private readonly onCall: (record: CallRecord) => void,
  ) {}

  get usage(): Usage {
    return { ...this.total };
  }

  get tokens(): number {
    return this.total.inputTokens + this.total.outputTokens;
  }

  get calls(): number {
    return this.n;
  }

  /** @param reply left out when the call failed */
  model(call: FinishedCall, reply?: ModelReply): void {
    const used = {
      inputTokens: whole(reply?.inputTokens),
      outputTokens: whole(reply?.outputTokens),
      costMicros: whole(reply?.costMicros),
    };
    this.total.modelCalls += 1;
    this.total.inputTokens += used.inputTokens;
    this.total.outputTokens += used.outputTokens;
    this.total.costMicros += used.costMicros;
    this.record('model', call, used);
  }

  tool(call: FinishedCall): void {
    this.total.toolCalls += 1;
    this.record('tool', call, { inputTokens: 0, outputTokens: 0, costMicros: 0 });
  }

  private record(
    kind: CallRecord['kind'],
    call: FinishedCall,
    used: Pick<CallRecord, 'inputTokens' | 'outputTokens' | 'costMicros'>,
  ): void {
    this.n += 1;
    this.onCall({
      n: this.n,
      kind,
      name: call.name.slice(0, MAX_NAME).toWellFormed() || '(unnamed)',
      ok: call.ok,
      note: call.note.slice(0, MAX_NOTE).toWellFormed(),
      at: whole(call.startedAt),
      durationMs: whole(this.clock.now() - call.startedAt),
      ...used,
    });
  }
}

/** Servers report odd counts at times; what is not a count is none. */
function whole(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) && value > 0 ? Math.min(Math.round(value), Number.MAX_SAFE_INTEGER) : 0;
}
