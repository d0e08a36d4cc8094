/**
 * W3C trace context (version 00), without OpenTelemetry: it is passed on through NATS headers even when no traces are exported, so
 * that log lines of one run share a trace id.
 */
import { randomFillSync } from 'node:crypto';

const PATTERN = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Chance is drawn in stock: one draw for each id would cost more than all else about a trace. */
const stock = Buffer.alloc(8192);
let left = 0;

/** Hex digits for so many bytes. */
function randomHex(bytes: number): string {
  if (left < bytes) {
    randomFillSync(stock);
    left = stock.length;
  }
  left -= bytes;
  return stock.toString('hex', left, left + bytes);
}

export class TraceContext {
  private constructor(
    /** 32 hex digits. */
    readonly traceId: string,
    /** 16 hex digits: the span that sends on. */
    readonly spanId: string,
    readonly sampled: boolean,
  ) {}

  /** A new trace. */
  static start(sampled = true): TraceContext {
    return new TraceContext(randomHex(16), randomHex(8), sampled);
  }

  /** @param text a `traceparent` value @returns undefined when it is missing or malformed */
  static parse(text: string | undefined | null): TraceContext | undefined {
    const match = PATTERN.exec(text ?? '');
    if (!match) return undefined;
    const [, version, traceId, spanId, flags, rest] = match as unknown as [string, string, string, string, string, string | undefined];
    if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
    if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
    return new TraceContext(traceId, spanId, (Number.parseInt(flags, 16) & 1) === 1);
  }

  /** The trace that the text names, or a new one. */
  static continueOrStart(text: string | undefined | null): TraceContext {
    return TraceContext.parse(text)?.child() ?? TraceContext.start();
  }

  /** Same trace, new span. */
  child(): TraceContext {
    return new TraceContext(this.traceId, randomHex(8), this.sampled);
  }

  /** The `traceparent` value. */
  format(): string {
    return `00-${this.traceId}-${this.spanId}-${this.sampled ? '01' : '00'}`;
  }

  toString(): string {
    return this.format();
  }
}
