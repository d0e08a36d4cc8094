/**
 * What a pattern comes to: the task stays one task, so that others depend on it by its name, and becomes a scope whose body does the work.
 * Everything here is made of what any plan may say (`docs/PATTERNS.md`), so there is nothing of patterns in the engine.
 */
import { SKILLS } from '@cadre/contracts';
import type { AgentSummary, ResultSchema, TaskSpecInput } from '@cadre/contracts';
import { literal, withItem } from './item-text.js';
import type { PlannedPattern, PlannedStep } from './planned-task.js';

type Scope = NonNullable<TaskSpecInput['scope']>;
/** A task that has a pattern, as it would be without one. */
export type PatternTask = TaskSpecInput & { skills: string[] };
export type Expanded = { ok: true; task: TaskSpecInput } | { ok: false; why: string };

/** Whatever part of them brings something is combined, and the result says that it is not the whole. */
const WHAT_IS_THERE: Scope['join'] = { need: 'any', until: 'ended' };
const MOST_ITEMS = 100;
const MOST_VOICES = 9;
const MOST_ROUNDS = 10;
const BIDDING_MS = 60_000;

/** @param catalogue the agents at hand, if known */
export function expandPattern(task: PatternTask, pattern: PlannedPattern, catalogue: readonly AgentSummary[] | undefined): Expanded {
  const made = EXPANSIONS[pattern.kind](task, pattern, catalogue);
  return typeof made === 'string' ? { ok: false, why: `The ${pattern.kind} of task ${task.id} ${made}` } : { ok: true, task: made };
}

type Expansion = (task: PatternTask, pattern: PlannedPattern, catalogue: readonly AgentSummary[] | undefined) => TaskSpecInput | string;

const EXPANSIONS: Record<PlannedPattern['kind'], Expansion> = {
  'map-reduce': mapReduce,
  pipeline,
  vote,
  auction,
  swarm,
  hierarchy,
};

/** The engine does it: what says who works, and what they bring, is said by the tasks of the body. */
function engineTask(task: PatternTask, scope: Scope): TaskSpecInput {
  const { agent: _agent, fallbackAgents: _fallbacks, skills: _skills, ...rest } = task;
  const { resultSchema: _resultSchema, thinking: _thinking, peers: _peers, shares: _shares, ...plain } = rest;
  return { ...plain, scope };
}

function mapReduce(task: PatternTask, pattern: PlannedPattern): TaskSpecInput | string {
  if (pattern.steps?.length !== 1) return 'needs exactly one entry in "steps": what is done with each item.';
  if (task.agent === undefined && task.skills.length === 0)
    return 'needs "skills" or "agent": who makes one result of what the items brought.';
  const items = forEachItem(task, pattern, pattern.steps);
  return typeof items === 'string' ? items : { ...task, scope: { ...items, combine: { by: 'custom' } } };
}

function pipeline(task: PatternTask, pattern: PlannedPattern): TaskSpecInput | string {
  const { over, from, steps = [] } = pattern;
  if (steps.length === 0) return 'needs "steps": the stages in their order.';
  if (over === undefined && from === undefined)
    return engineTask(task, { body: stages(task, steps, ABOUT_NOTHING), combine: { by: 'last' } });
  const items = forEachItem(task, pattern, steps);
  return typeof items === 'string' ? items : engineTask(task, items);
}

/** The items that are written out are branches, so that neither their number nor their letters matter to expressions. */
function forEachItem(task: PatternTask, { over, from }: PlannedPattern, steps: readonly PlannedStep[]): Scope | string {
  if (from !== undefined && over !== undefined) return 'has both "over" and "from"; give the items in one of them.';
  if (from !== undefined) {
    if (!task.dependsOn?.includes(from)) return `takes its items from ${from}, so ${task.id} must have it in "dependsOn".`;
    const list = `results.${from}.value`;
    return { over: NAMEABLE.test(from) ? list : `results["${from}"].value`, join: WHAT_IS_THERE, body: stages(task, steps, ABOUT_ITEM) };
  }
  if (over === undefined || over.length === 0)
    return 'needs its items: a list of texts in "over", or in "from" the task whose result is the list.';
  if (over.length > MOST_ITEMS)
    return `has ${over.length} items; at most ${MOST_ITEMS} can be written out. Let a task make the list, and name it in "from".`;
  const branches = over.map((item, index): TaskSpecInput => {
    const of = `Your item: ${item}`;
    const chain = stages(task, steps, (text) => ({ instructions: `${text}\n\n${of}` }));
    const id = `item-${index + 1}`;
    const title = `${task.title}: ${item}`.slice(0, 200);
    const [only] = chain;
    return chain.length === 1 && only
      ? { ...only, id, title }
      : { id, title, instructions: of, scope: { body: chain, combine: { by: 'last' } } };
  });
  return { branches: true, join: WHAT_IS_THERE, body: branches };
}

/** Names that expressions can have behind a dot. */
const NAMEABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

type About = (instructions: string) => Pick<TaskSpecInput, 'instructions' | 'templated'>;
const ABOUT_NOTHING: About = (instructions) => ({ instructions });
/** Of a list that is known only when it is made. */
const ABOUT_ITEM: About = (instructions) => ({ instructions: withItem(literal(instructions)), templated: true });

function stages(task: PatternTask, steps: readonly PlannedStep[], about: About): TaskSpecInput[] {
  return steps.map((step, index): TaskSpecInput => ({
    id: `step-${index + 1}`,
    title: (step.title ?? `${task.title}, step ${index + 1}`).slice(0, 200),
    ...about(step.instructions),
    ...whoOf(step, task),
    ...wishesOf(task),
    ...(index === 0 ? {} : { dependsOn: [`step-${index}`] }),
    // Of several stages the last one brings the result; of the one of a map-reduce it is the task itself that does.
    ...(task.pattern === 'pipeline' && index === steps.length - 1 ? outcomeOf(task) : {}),
  }));
}

/** What holds for everybody who works on it. */
function wishesOf({ thinking, peers }: PatternTask): Pick<TaskSpecInput, 'thinking' | 'peers'> {
  return { ...(thinking && { thinking }), ...(peers && { peers }) };
}

/** What it has to bring. */
function outcomeOf({ resultSchema, shares }: PatternTask): Pick<TaskSpecInput, 'resultSchema' | 'shares'> {
  return { ...(resultSchema && { resultSchema }), ...(shares && { shares }) };
}

function whoOf(step: Pick<PlannedStep, 'agent' | 'skills'>, { agent, skills }: PatternTask): Pick<TaskSpecInput, 'agent' | 'skills'> {
  if (step.agent !== undefined) return { agent: step.agent };
  if (step.skills && step.skills.length > 0) return { skills: step.skills };
  return agent === undefined ? { skills } : { agent };
}

/** Those who take part, each as a branch. */
function voices(task: PatternTask, { agents = [], count }: PlannedPattern, rest: (who: string) => TaskSpecInput): TaskSpecInput[] | string {
  const named = [...new Set(agents)];
  const many = named.length > 0 ? named.length : Math.round(count ?? 3);
  if (many < 2 || many > MOST_VOICES)
    return `is between 2 and ${MOST_VOICES}: name different agents in "agents", or say in "count" how many with the task's skills.`;
  return Array.from({ length: many }, (_, index) => {
    const agent = named[index];
    const who = agent === undefined ? whoOf({}, task) : { agent };
    return { ...rest(agent ?? `voice ${index + 1}`), ...wishesOf(task), id: `voice-${index + 1}`, ...who };
  });
}

function roundsOf({ rounds }: PlannedPattern, usual: number): number {
  return Math.min(MOST_ROUNDS, Math.max(1, Math.round(rounds ?? usual)));
}

const HEARD = (what: string) => `\n\n${what} in the round before, null in the first one: \${{ previous }}`;

const FORM_OF_ITS_OWN = 'says itself in which form is answered; leave "resultSchema" out.';

function vote(task: PatternTask, pattern: PlannedPattern): TaskSpecInput | string {
  if (task.resultSchema) return FORM_OF_ITS_OWN;
  const { choices = [], weighted = false, majority } = pattern;
  if (majority !== undefined && (majority <= 0 || majority > 1)) return 'has a "majority" that is no fraction above 0 and up to 1.';
  const rounds = roundsOf(pattern, 1);
  const among = choices.length > 0 ? ` one of ${choices.map((choice) => `"${choice}"`).join(', ')}` : ' your choice in few words';
  const form = `\n\nThis is a vote: decide for yourself. Your answer is {"choice": <${among.trim()}>, "reason": <one sentence>}.`;
  const again = rounds > 1 ? HEARD('What the votes and their reasons came to') : '';
  const body = voices(task, pattern, (who) => ({
    id: 'voice',
    title: `${task.title}: ${who}`.slice(0, 200),
    instructions: rounds > 1 ? `${literal(task.instructions + form)}${again}` : task.instructions + form,
    ...(rounds > 1 ? { templated: true as const } : {}),
    resultSchema: ballotSchema(choices),
  }));
  if (typeof body === 'string') return body;
  const rule = { by: 'vote' as const, weighted, quorum: 0.5 };
  const poll: Scope = { branches: true, join: WHAT_IS_THERE, body, combine: rule };
  const needed = majority === undefined ? {} : { threshold: majority };
  if (rounds === 1) return engineTask(task, { ...poll, combine: { ...rule, ...needed } });
  const until = `results.vote.value.share >= ${(majority ?? 1).toFixed(4)}`;
  const inner = { id: 'vote', title: task.title, instructions: task.instructions, scope: poll };
  const repeat = { max: rounds, until, atBound: majority === undefined ? ('accept' as const) : ('fail' as const) };
  return engineTask(task, { repeat, body: [inner], combine: { by: 'last' } });
}

function ballotSchema(choices: readonly string[]): ResultSchema {
  const choice = choices.length > 0 ? { enum: [...choices] } : { type: 'string', minLength: 1 };
  return { type: 'object', properties: { choice, reason: { type: 'string' } }, required: ['choice'] };
}

/** Who may bid: the agents that are named, else all who have the skills. */
function auction(task: PatternTask, { agents = [] }: PlannedPattern, catalogue: readonly AgentSummary[] = []): TaskSpecInput | string {
  const able = catalogue.filter(({ skills }) => task.skills.length > 0 && task.skills.every((skill) => skills.includes(skill)));
  const bidders = [...new Set(agents.length > 0 ? agents : able.map(({ name }) => name))].slice(0, MOST_VOICES);
  if (bidders.length < 2) return 'needs two agents at least that can do it: name them in "agents".';
  const bids: Scope = {
    branches: true,
    join: { ...WHAT_IS_THERE, deadlineMs: BIDDING_MS },
    combine: { by: 'auction' },
    body: bidders.map((agent) => ({
      id: agent,
      title: `Bid of ${agent}`.slice(0, 200),
      instructions: bidText(task.instructions),
      agent,
      bid: true as const,
    })),
  };
  const { pattern: _pattern, why: _why, dependsOn: _dependsOn, require: _require, condition: _condition, ...work } = task;
  const job: TaskSpecInput = { ...work, id: 'job', skills: [], agentFrom: 'results.bids.value.map(each, each.agent)', dependsOn: ['bids'] };
  delete job.agent;
  const bidding = { id: 'bids', title: `Bids for: ${task.title}`.slice(0, 200), instructions: task.instructions, scope: bids };
  return engineTask(task, { body: [bidding, job], result: 'job', combine: { by: 'last' } });
}

function bidText(instructions: string): string {
  return `Do not do this task yet. You are asked whether you are the right one for it: answer with one sentence on how you would go about it; your confidence is how sure you are that you would do it well.\n\nThe task: ${instructions}`.slice(
    0,
    8000,
  );
}

const FINDING: ResultSchema = { type: 'object', properties: { done: { type: 'boolean' } }, required: ['finding', 'done'] };

function swarm(task: PatternTask, pattern: PlannedPattern): TaskSpecInput | string {
  if (task.resultSchema) return FORM_OF_ITS_OWN;
  const form =
    '\n\nSeveral explore this at once, round after round. Your answer is {"finding": <the best that you know now, your own or from the board>, "done": <true when another round would bring nothing>}.';
  const body = voices(task, pattern, (who) => ({
    id: 'voice',
    title: `${task.title}: ${who}`.slice(0, 200),
    instructions: `${literal(task.instructions + form)}${HEARD('The board: what all have found')}`,
    templated: true,
    resultSchema: FINDING,
  }));
  if (typeof body === 'string') return body;
  const board = {
    id: 'board',
    title: task.title,
    instructions: task.instructions,
    scope: { branches: true as const, join: WHAT_IS_THERE, body },
  };
  const until = 'results.board.value.all(each, each.done)';
  return engineTask(task, { repeat: { max: roundsOf(pattern, 3), until }, body: [board], combine: { by: 'last' } });
}

/** A coordinator plans, gives work to others and judges it; whom it may ask is told to it. */
function hierarchy(
  task: PatternTask,
  { agents = [] }: PlannedPattern,
  catalogue: readonly AgentSummary[] | undefined,
): TaskSpecInput | string {
  const { skills: _skills, ...rest } = task;
  if (catalogue && !catalogue.some(({ skills }) => skills.includes(SKILLS.coordination)))
    return `needs an agent with the skill ${SKILLS.coordination}, and the catalogue has none; plan the parts as tasks of their own.`;
  const among = agents.length > 0 ? `\n\nGive the work to these agents: ${agents.join(', ')}.` : '';
  const coordinated = { ...rest, skills: [SKILLS.coordination], instructions: task.instructions + among };
  return coordinated;
}
