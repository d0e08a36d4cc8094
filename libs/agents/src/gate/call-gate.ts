/** Where calls to a model server wait until its allowance has room for them. */
import type { GovernorAnswer, GovernorAsk } from '@cadre/contracts';

export interface GateCall {
  model: string;
  /** Input and output, an upper bound. */
  tokens: number;
  /** Default: `default`. */
  tenant?: string | undefined;
  /** It waits no longer than this, in milliseconds. */
  patienceMs?: number | undefined;
}

export interface CallEnding {
  /** What it used. Without it nobody knows, and the bound counts. */
  tokens?: number;
  /** Nothing was sent. */
  unused?: true;
  /** The server had no room after all, and named this time. */
  pauseMs?: number;
}

export interface CallLeave {
  /** To be called once, whatever became of the call. */
  over(ending: CallEnding): void;
}

export interface CallGate {
  /** Whether calls of the model may have to wait. */
  governs(model: string): boolean;
  /** Waits for leave to make one call. Rejects as soon as the signal aborts, and with `model-busy` when its patience is at an end. */
  enter(call: GateCall, signal: AbortSignal): Promise<CallLeave>;
}

/** Who knows what the whole fleet may do. */
export interface Governor {
  /** Rejects when there is no answer in time; what is answered later must not be given any more. */
  ask(ask: GovernorAsk): Promise<GovernorAnswer>;
}
