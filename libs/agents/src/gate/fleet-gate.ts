/** The gate before one model server: calls of models with limits wait for the governor of the whole fleet, others pass. */
import type { ModelLimitTable } from '@cadre/contracts';
import type { Clock } from '@cadre/engine';
import type { CallGate, CallLeave, GateCall, Governor } from './call-gate.js';
import { GateLine } from './gate-line.js';

export interface FleetGateParts {
  /** Base URL. */
  server: string;
  limits: ModelLimitTable;
  /** This life of this worker. */
  worker: string;
  governor: Governor;
  /** Need not tell the time of day, but must not be set. */
  clock: Clock;
  /** @param model the entry of the table */
  onWaited(model: string, ms: number, granted: boolean): void;
  /** The server had no room although the governor thought so. */
  onRefused(model: string): void;
}

const ALL_OTHERS = '*';
const free: CallLeave = { over: () => undefined };

export class FleetGate implements CallGate {
  private readonly lines = new Map<string, GateLine>();

  constructor(private readonly parts: FleetGateParts) {}

  governs(model: string): boolean {
    return this.entryFor(model) !== undefined;
  }

  async enter(call: GateCall, signal: AbortSignal): Promise<CallLeave> {
    const entry = this.entryFor(call.model);
    return entry === undefined ? free : this.lineOf(entry).enter(call, signal);
  }

  private entryFor(model: string): string | undefined {
    return [model, ALL_OTHERS].find((name) => Object.hasOwn(this.parts.limits, name));
  }

  private lineOf(model: string): GateLine {
    const known = this.lines.get(model);
    if (known) return known;
    const { server, limits, worker, governor, clock, onWaited, onRefused } = this.parts;
    const identity = { worker, server, model, limits: limits[model]! };
    const line = new GateLine({
      ...{ identity, governor, clock },
      onWaited: (ms, granted) => onWaited(model, ms, granted),
      onRefused: () => onRefused(model),
    });
    this.lines.set(model, line);
    return line;
  }
}
