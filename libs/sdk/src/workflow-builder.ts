/**
 * Writes workflows in TypeScript: the same data as in YAML, with names that the compiler checks.
 *
 * ```ts
 * const flow = workflow('count-words', { goal: 'Count the words', params: { texts: {} } }, (tasks) =>
 *   tasks
 *     .each('map', 'params.texts', (body) => body.task('count', { agent: 'counter', input: { text: fill('item') } }), { width: 2 })
 *     .task('sum', { agent: 'adder', after: ['map'], input: { numbers: fill('results.map.value') } }),
 * );
 * await client.putWorkflow(flow);
 * ```
 */
import { Workflow, type TaskSpec, type WorkflowParam } from '@cadre/contracts';
import type { z } from 'zod';

type TaskInput = z.input<typeof TaskSpec>;
type ScopeInput = NonNullable<TaskInput['scope']>;

/** What every task may have. `after` names tasks that stand before it. */
export interface CommonFields<Ids extends string> extends Omit<
  TaskInput,
  'id' | 'title' | 'instructions' | 'dependsOn' | 'templated' | 'scope' | 'wait' | 'given' | 'alternativeTo' | 'cache'
> {
  /** Default: the id. */
  title?: string;
  after?: Ids[];
  alternativeTo?: Ids;
}

export interface TaskFields<Ids extends string> extends CommonFields<Ids>, Pick<TaskInput, 'cache'> {
  /** Default: the title. */
  instructions?: string;
}

/** How the items of a scope are joined and combined. */
export interface ScopeFields<Ids extends string>
  extends CommonFields<Ids>, Pick<ScopeInput, 'width' | 'join' | 'gate' | 'combine' | 'result'> {
  /** For the agent that combines (`{by: 'custom'}`). Default: the title. */
  instructions?: string;
}

type Body<Made extends string> = (body: TaskList) => TaskList<Made>;

/** An expression that is filled in when the task begins: a whole text of it becomes its value. */
export function fill(expression: string): string {
  return `\${{ ${expression} }}`;
}

/** Tasks in order. Each method gives a new list, which knows one name more. */
export class TaskList<Ids extends string = never> {
  constructor(readonly tasks: readonly TaskInput[] = []) {}

  /** A task for an agent. */
  task<const Id extends string>(id: Id, fields: TaskFields<Ids> = {}): TaskList<Ids | Id> {
    const { instructions = fields.title ?? id, ...rest } = fields;
    return this.with(id, { ...rest, instructions });
  }

  /** Tasks at once: each of the body is a branch. */
  parallel<const Id extends string>(id: Id, body: Body<string>, fields: ScopeFields<Ids> = {}): TaskList<Ids | Id> {
    return this.scope(id, { branches: true }, body, fields);
  }

  /** The body for each element of a list. @param over an expression */
  each<const Id extends string>(id: Id, over: string, body: Body<string>, fields: ScopeFields<Ids> = {}): TaskList<Ids | Id> {
    return this.scope(id, { over }, body, fields);
  }

  /** The body round after round; the last one counts unless `combine` says otherwise. */
  rounds<const Id extends string>(
    id: Id,
    repeat: NonNullable<ScopeInput['repeat']>,
    body: Body<string>,
    fields: ScopeFields<Ids> = {},
  ): TaskList<Ids | Id> {
    return this.scope(id, { repeat }, body, { combine: { by: 'last' }, ...fields });
  }

  /** A result that is there already. */
  given<const Id extends string>(
    id: Id,
    given: NonNullable<TaskInput['given']>,
    fields: Pick<CommonFields<Ids>, 'title'> = {},
  ): TaskList<Ids | Id> {
    return this.with(id, { ...fields, instructions: fields.title ?? id, given });
  }

  /** A wait for time or for an event. */
  wait<const Id extends string>(id: Id, wait: NonNullable<TaskInput['wait']>, fields: CommonFields<Ids> = {}): TaskList<Ids | Id> {
    return this.with(id, { ...fields, instructions: fields.title ?? id, wait });
  }

  private scope<Id extends string>(
    id: Id,
    way: Partial<ScopeInput>,
    body: Body<string>,
    { width, join, gate, combine, result, ...fields }: ScopeFields<Ids>,
  ): TaskList<Ids | Id> {
    const given = Object.entries({ width, join, gate, combine, result }).filter(([, value]) => value !== undefined);
    const scope: ScopeInput = { ...way, ...Object.fromEntries(given), body: [...body(new TaskList()).tasks] };
    return this.with(id, { ...fields, instructions: fields.instructions ?? fields.title ?? id, scope });
  }

  private with<Id extends string>(
    id: Id,
    { after = [], title = id, ...rest }: CommonFields<Ids> & Pick<TaskInput, 'instructions' | 'scope' | 'wait' | 'given'>,
  ): TaskList<Ids | Id> {
    const { instructions, input } = rest;
    const templated = JSON.stringify([title, instructions, input ?? null]).includes('${{');
    const task: TaskInput = { id, title, ...rest, dependsOn: [...after], ...(templated && { templated: true }) };
    return new TaskList<Ids | Id>([...this.tasks, task]);
  }
}

export interface WorkflowHead extends Pick<z.input<typeof Workflow>['spec'], 'goal' | 'options' | 'on'> {
  description?: string;
  params?: Record<string, WorkflowParam>;
}

/**
 * A workflow whose tasks are those of the list.
 * @param name lower-case letters, digits and -
 * @throws zod's error when a field is not as it must be
 */
export function workflow(name: string, { description, ...spec }: WorkflowHead, tasks: Body<string>): Workflow {
  return Workflow.parse({
    apiVersion: 'cadre/v1',
    kind: 'Workflow',
    metadata: { name, ...(description === undefined ? {} : { description }) },
    spec: { ...spec, tasks: tasks(new TaskList()).tasks },
  });
}
