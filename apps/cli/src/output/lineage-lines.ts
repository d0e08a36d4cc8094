/** Lineages as people read them: each step, and under it what it was made from. */
import type { ContextAuthor, ContextLineage, ContextRef, ContextSource, ContextStep, RunLineage } from '@cadre/contracts';
import { moment } from './figures.js';

const MORE = '… there is more; -o json has all that was sent';

export function authorOf(by: ContextAuthor): string {
  return by.kind === 'user' ? 'user' : `${by.agent} (${by.runId} ${by.taskId})`;
}

export function artifactLineage({ steps, more }: ContextLineage): string[] {
  return [...stepLines(steps), ...(more ? [MORE] : [])];
}

export function runLineageLines({ runId, status, tasks, inputs, context, more }: RunLineage): string[] {
  return [
    `Run ${runId} (${status})`,
    ...tasks.flatMap(({ taskId, title, agent, from, read, written, artifacts }) => [
      `${taskId}  ${title}${agent === undefined ? '' : ` · ${agent}`}`,
      ...named('from', from),
      ...named('read', read.map(versionOf)),
      ...named('wrote', [...written.map(versionOf), ...artifacts.map(({ name }) => name)]),
    ]),
    ...(inputs.length === 0 ? [] : ['Inputs', ...inputs.map(({ name }) => `  ${name}`)]),
    ...(context.length === 0 ? [] : ['Read from the context store', ...stepLines(context).map((line) => `  ${line}`)]),
    ...(more ? [MORE] : []),
  ];
}

function stepLines(steps: ContextStep[]): string[] {
  return steps.flatMap((step) => {
    if ('gone' in step) return [`${versionOf(step)}  not kept any more`];
    return [`${versionOf(step)}  ${moment(step.at)}  by ${authorOf(step.by)}`, ...named('from', step.from.map(sourceOf))];
  });
}

function sourceOf(source: ContextSource): string {
  return 'artifact' in source ? versionOf(source) : `input ${source.input}`;
}

const versionOf = ({ artifact, version }: Pick<ContextRef, 'artifact' | 'version'>): string => `${artifact}@${version}`;

function named(word: string, items: string[]): string[] {
  return items.length === 0 ? [] : [`  ${word.padEnd(5)}  ${items.join(', ')}`];
}
