/** Figures as people read them. */
import type { Usage } from '@cadre/contracts';

/** `850 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min` */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** Dollars from millionths: `$0`, `$0.000020`, `$0.0015`, `$1.25`. */
export function money(micros: number): string {
  if (micros === 0) return '$0';
  const dollars = micros / 1e6;
  if (micros < 100) return `$${dollars.toFixed(6)}`;
  return `$${dollars >= 1 ? dollars.toFixed(2) : dollars.toFixed(4)}`;
}

export function count(n: number, unit: string): string {
  return `${n.toLocaleString('en-US')} ${unit}${n === 1 ? '' : 's'}`;
}

/** What calls have cost, as far as that is known: `$0.0015`, `cost unknown`, `$0.0015 and an unknown cost`. */
export function cost({ costMicros, unpricedCalls = 0 }: Pick<Usage, 'costMicros' | 'unpricedCalls'>): string {
  if (unpricedCalls === 0) return money(costMicros);
  return costMicros === 0 ? 'cost unknown' : `${money(costMicros)} and an unknown cost`;
}

/** `1,540 tokens, $0.0015` */
export function consumption(usage: Usage): string {
  return `${count(usage.inputTokens + usage.outputTokens, 'token')}, ${cost(usage)}`;
}

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  return n < 1024 * 1024 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / 1024 / 1024).toFixed(1)} MiB`;
}

/** `2026-11-20 13:05:07`, local time */
export function moment(ms: number): string {
  const date = new Date(ms);
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** One line, without control characters, at most `width` characters. */
export function oneLine(text: string, width: number): string {
  const flat = text
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return flat.length <= width ? flat : `${flat.slice(0, Math.max(1, width - 1))}…`;
}
