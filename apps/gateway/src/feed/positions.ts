/** Positions of events within their run: `<seq>.<index>`. */
import type { FeedEvent, FeedPosition } from '@cadre/contracts';

const TERMINAL = new Set(['RunCompleted', 'RunFailed', 'RunCancelled']);

export function positionOf(event: FeedEvent): FeedPosition {
  return event.id.slice(event.id.lastIndexOf('/') + 1);
}

/** Whether `next` may follow `last` with nothing in between. `last` undefined: from the start. */
export function follows(last: FeedPosition | undefined, next: FeedPosition): boolean {
  if (last === undefined) return next === '1.0';
  const [lastSeq = 0, lastIndex = 0] = last.split('.').map(Number);
  const [seq = 0, index = 0] = next.split('.').map(Number);
  return seq === lastSeq ? index === lastIndex + 1 : seq === lastSeq + 1 && index === 0;
}

/** A run's last event. */
export function isLast(event: FeedEvent): boolean {
  return TERMINAL.has(event.data.type);
}
