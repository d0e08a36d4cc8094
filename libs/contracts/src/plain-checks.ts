/** What the hand-written checks of plain messages are made of. See `plain-commands.ts`. */
import { PRIORITIES } from './plan.js';

export type Fields = Record<string, unknown>;

export const RUN_ID = /^r[0-9]{2}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Of tasks within scopes only those with short names. */
export const TASK_ID = /^[A-Za-z][A-Za-z0-9_-]{0,63}(~(0|[1-9][0-9]{0,4})~[A-Za-z][A-Za-z0-9_-]{0,63}){0,2}$/;
export const AGENT_NAME = /^[a-z][a-z0-9-]{0,63}$/;
export const TOOL_NAME = /^[a-z][a-z0-9_]{0,63}$/;
export const TENANT_ID = /^[a-z0-9][a-z0-9-]{0,39}$/;
export const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

export function isPriority(value: unknown): boolean {
  return (PRIORITIES as readonly unknown[]).includes(value);
}

export function isBetween(value: unknown, least: number, most: number): boolean {
  return typeof value === 'string' && value.length >= least && value.length <= most;
}

export function isEmptyRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}

export function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

export function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}

export function isCount(value: unknown, max = Number.MAX_SAFE_INTEGER): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max;
}

export function isText(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return false;
  return typeof (value as Fields)['text'] === 'string';
}

const MAX_TTL_MS = 30 * 86_400_000;

/** How long a result may stand for later ones. */
export function isPlainCache(raw: unknown): boolean {
  if (typeof raw !== 'object' || raw === null || Object.keys(raw).length !== 1) return false;
  const { ttlMs } = raw as Fields;
  return isCount(ttlMs, MAX_TTL_MS) && ttlMs !== 0;
}

/** A value, or a flat object of values. */
export function isPlainInput(raw: unknown): boolean {
  if (isScalar(raw)) return true;
  if (typeof raw !== 'object' || raw === null || Object.getPrototypeOf(raw) !== Object.prototype) return false;
  return !Object.hasOwn(raw, '__proto__') && Object.values(raw).every(isScalar);
}

function isScalar(raw: unknown): boolean {
  return raw === null || typeof raw === 'string' || typeof raw === 'boolean' || (typeof raw === 'number' && Number.isFinite(raw));
}
