/**
 * `CADRE_CRASH_AT=<point>[:n]` makes a process kill itself, as the kernel would, when it passes a named point for the n-th time. Points sit
 * on the ports: an object whose calls pass points is wrapped where it is made, and only when such a point was asked for, so that a process
 * that shall live has nothing of it on its way.
 */
import { CRASH_POINTS, type CrashPoint, type PassCrashPoint } from '@cadre/contracts';

const POINTS: ReadonlySet<string> = new Set(Object.values(CRASH_POINTS).flat());

/** @returns undefined when the text names no point. @param text `<point>` or `<point>:<n>`, n from 1 */
export function parseCrashAt(text: string): { point: CrashPoint; passing: number } | undefined {
  const [, point = '', passing = '1'] = /^([a-z-]+)(?::([1-9]\d{0,5}))?$/.exec(text) ?? [];
  return POINTS.has(point) ? { point: point as CrashPoint, passing: Number(passing) } : undefined;
}

/** @param kill for tests; else this very process is killed. @returns undefined when no point, or none that there is, is set */
export function crashAt(text: string | undefined, kill = killThisProcess): PassCrashPoint | undefined {
  const set = text === undefined ? undefined : parseCrashAt(text);
  if (set === undefined) return undefined;
  let left = set.passing;
  return (point) => {
    if (point !== set.point) return;
    left -= 1;
    if (left === 0) kill();
  };
}

/** Nothing of this process runs after it, not even what is queued. */
function killThisProcess(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** Where a method passes points. */
export interface PointsOfCall {
  before?: CrashPoint;
  /** What the call wrote at once has left the process; its answer is not there yet, or not acted upon. */
  sent?: CrashPoint;
  /** It has succeeded, and the caller does not know yet. */
  after?: CrashPoint;
  /** Only calls with such arguments. */
  when?: (...given: never[]) => boolean;
}

/** The object itself, or, with a `pass`, one that passes points at calls of its methods. */
export function passingPoints<T extends object>(
  target: T,
  pass: PassCrashPoint | undefined,
  methods: { [M in keyof T]?: PointsOfCall },
): T {
  if (pass === undefined) return target;
  return new Proxy(target, {
    get: (of, name) => {
      const value: unknown = Reflect.get(of, name, of);
      if (typeof value !== 'function') return value;
      const points = (methods as Record<PropertyKey, PointsOfCall | undefined>)[name];
      return points === undefined ? value.bind(of) : (...given: never[]) => callPassing(() => value.apply(of, given), pass, points, given);
    },
  });
}

function callPassing(call: () => unknown, pass: PassCrashPoint, points: PointsOfCall, given: never[]): unknown {
  if (points.when?.(...given) === false) return call();
  if (points.before !== undefined) pass(points.before);
  const result = call();
  const { sent, after } = points;
  // The client writes to its socket at the end of the turn.
  if (sent !== undefined) setImmediate(() => pass(sent));
  if (after === undefined) return result;
  if (result instanceof Promise) return result.then((value: unknown) => (pass(after), value));
  pass(after);
  return result;
}
