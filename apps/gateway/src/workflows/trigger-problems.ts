/** What is wrong with the triggers of a workflow. */
import type { Trigger } from '@cadre/contracts';
import { checkExpression, expressionsIn } from '@cadre/engine';
import { Cron } from 'croner';

interface Problem {
  path: string;
  message: string;
}

/** An event of this type says by itself what is to run. */
export const START_TYPE = 'run.start';

/** @param params names of the workflow's parameters @returns one entry for each fault, with its path from the definition's root */
export function triggerProblems(triggers: readonly Trigger[], params: readonly string[]): Problem[] {
  return triggers.flatMap((trigger, index) => {
    const own = 'event' in trigger ? eventProblems(trigger) : cronProblems(trigger);
    const unknown = Object.keys(trigger.params).filter((name) => !params.includes(name));
    const holes = expressionsIn(trigger.params).map((expression) => ({ path: 'params', fault: faultIn(expression, 'value') }));
    return [
      ...own,
      ...unknown.map((name) => ({ path: `params.${name}`, message: 'the workflow has no such parameter' })),
      ...holes.flatMap(({ path, fault }) => (fault === undefined ? [] : [{ path, message: fault }])),
    ].map(({ path, message }) => ({ path: `spec.on[${index}].${path}`, message }));
  });
}

function eventProblems({ event, where }: Extract<Trigger, { event: string }>): Problem[] {
  const fault = where === undefined ? undefined : faultIn(where, 'condition');
  return [
    ...(event === START_TYPE ? [{ path: 'event', message: `${START_TYPE} starts runs by itself; name another type` }] : []),
    ...(fault === undefined ? [] : [{ path: 'where', message: fault }]),
  ];
}

function cronProblems({ cron, timezone }: Extract<Trigger, { cron: string }>): Problem[] {
  if (!isTimezone(timezone))
    return [{ path: 'timezone', message: `there is no time zone ${JSON.stringify(timezone)}; write one as in Europe/Berlin` }];
  try {
    if (dueAfter(cron, timezone, 0) === undefined) return [{ path: 'cron', message: `${JSON.stringify(cron)} never comes` }];
    return [];
  } catch (error) {
    return [{ path: 'cron', message: `${(error as Error).message}; write five fields, as in 0 9 * * 1-5` }];
  }
}

/** The first time after one, both in milliseconds since 1970; undefined: never. @throws when the pattern is none */
export function dueAfter(cron: string, timezone: string, after: number): number | undefined {
  return new Cron(cron, { timezone, paused: true }).nextRun(new Date(after))?.getTime();
}

/** The last time not after one. */
export function dueUntil(cron: string, timezone: string, until: number): number | undefined {
  return new Cron(cron, { timezone, paused: true }).previousRuns(1, new Date(until + 1))[0]?.getTime();
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function faultIn(expression: string, kind: 'condition' | 'value'): string | undefined {
  const checked = checkExpression(expression, kind);
  if (checked.ok) return undefined;
  const { message, position } = checked.fault;
  return `${message} (in ${JSON.stringify(expression)}${position === undefined ? '' : `, character ${position + 1}`})`;
}
