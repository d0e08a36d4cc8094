/**
 * Matches ready attempts to free slots. The tenant with the least at work goes first, and of its attempts the most urgent (priority, then
 * age); among the workers that can do it the least loaded one gets it, and of equals the one whose turn is longest ago. The same input
 * gives the same matches.
 */
import { meetsLabels } from '@cadre/contracts';
import type { AgentName, Offer, RunId, WorkerId } from '@cadre/contracts';
import { attemptKey, queuedMs, type ReadyAttempt, type ReadyGroup } from './attempts.js';
import type { HostedAgent } from './hosted-agents.js';
import { urgencyOf } from './urgency.js';

/** A worker that may be offered work. */
export interface OpenWorker {
  workerId: WorkerId;
  epoch: string;
  agents: readonly HostedAgent[];
  /** With those that are expected to become free. */
  slots: number;
  /** Slots that it has. */
  size: number;
  /** Slots taken: attempts held, running or offered. */
  used: number;
  /** Set when work was offered to it ahead of free slots and waits there: work that has a better right to the next slot may overtake it. */
  ahead?: OfferedAhead;
  /** Grows with each offer made to anybody; what it was when this worker was last chosen. */
  lastTurn: number;
}

export interface OfferedAhead {
  /** So many attempts may be there in all. */
  most: number;
  /** What may be overtaken. An overtaken offer is taken out. */
  offers: { tenant: string; urgency: number }[];
}

export interface Match {
  attempt: ReadyAttempt;
  workerId: WorkerId;
  epoch: string;
  agent: AgentName;
  /** Who was asked for by name and has handed on to `agent`, or has no slot for it. */
  insteadOf?: AgentName;
  /** It has been without a free slot so long: another agent does it because of that, or the agent begins it with less. */
  queuedMs?: number;
  turn: Offer['turn'];
}

export interface MatchRules {
  /** Milliseconds since 1970. */
  now: number;
  /** Waiting this long raises an attempt by one level of priority. */
  ageingMs: number;
  /** Attempts that are not to be offered now. */
  skip?: (attempt: ReadyAttempt) => boolean;
  /** Workers that hold the attempt already: it is not offered to them. */
  holds?: (workerId: WorkerId, attempt: ReadyAttempt) => boolean;
  /** A worker that let an earlier offer of the attempt pass; it comes last. */
  shunned?: (attempt: ReadyAttempt) => WorkerId | undefined;
  /** Attempts of a tenant at work already; without it: none. */
  atWork?: (tenant: string) => number;
  /** How many more attempts an agent may get; without it, or Infinity: as many as it has slots for. */
  room?: (agent: AgentName) => number;
  /** How many more attempts of a tenant, and of a run that has a limit, may be offered; without it: as many as there are slots. */
  tenantRoom?: (tenant: string) => number;
  /** Slots that tenants leave to others; without it: none. */
  kept?: KeptSlots;
  runRoom?: (run: { runId: RunId; limit: number }) => number;
  /** Called with each group that has attempts left which its limits allow, and nobody a free slot for them. */
  short?: (group: ReadyGroup) => void;
  /** At most so many matches. */
  limit?: number;
}

export interface KeptSlots {
  /** Of the slots of all who can do something, how many of a hundred a tenant leaves to others; rounded down. */
  percent(tenant: string): number;
  /** How many attempts of a tenant a worker has, runs or is offered. */
  held(tenant: string, workerId: WorkerId): number;
}

/** Numbers by name, each asked for once: who gives them may have to look at all that runs. */
class Numbers<K> {
  readonly #known = new Map<K, number>();

  constructor(private readonly ask: (name: K) => number) {}

  of(name: K): number {
    let known = this.#known.get(name);
    if (known === undefined) this.#known.set(name, (known = this.ask(name)));
    return known;
  }

  move(name: K, by: 1 | -1): void {
    this.#known.set(name, this.of(name) + by);
  }
}

/** Who has how much, and may still get how much, while matches are made. */
class Shares {
  readonly atWork: Numbers<string>;
  /** Undefined when no agent is limited. */
  readonly agents: Numbers<AgentName> | undefined;
  readonly #tenants: Numbers<string>;
  readonly #runs = new Map<RunId, number>();
  readonly #pools: Pool[] = [];

  constructor(private readonly rules: MatchRules) {
    this.atWork = new Numbers(rules.atWork ?? (() => 0));
    this.agents = rules.room && new Numbers(rules.room);
    this.#tenants = new Numbers(rules.tenantRoom ?? (() => Infinity));
  }

  /** All who can do something, free or not; undefined when nothing is kept of their slots. */
  pool(able: () => OpenWorker[]): Pool | undefined {
    const { kept } = this.rules;
    if (kept === undefined) return undefined;
    const pool = new Pool(able, kept);
    this.#pools.push(pool);
    return pool;
  }

  /** Whether the limits that somebody has set allow more. */
  allow({ tenant, run }: ReadyGroup): boolean {
    return this.#tenants.of(tenant) > 0 && (run === undefined || this.#runRoom(run) > 0);
  }

  take({ tenant, run }: ReadyGroup, agent: AgentName, worker: OpenWorker): void {
    this.atWork.move(tenant, 1);
    this.agents?.move(agent, -1);
    this.#tenants.move(tenant, -1);
    for (const pool of this.#pools) pool.take(tenant, worker);
    if (run) this.#runs.set(run.runId, this.#runRoom(run) - 1);
  }

  #runRoom(run: NonNullable<ReadyGroup['run']>): number {
    return this.#runs.get(run.runId) ?? this.rules.runRoom?.(run) ?? run.limit;
  }
}

/**
 * The workers that can do something, and how much of them a tenant may have. They are looked for only when a tenant has to leave slots to
 * others.
 */
class Pool {
  #able: { workers: ReadonlySet<OpenWorker>; slots: number } | undefined;
  readonly #held: Numbers<string>;

  constructor(
    private readonly find: () => OpenWorker[],
    private readonly kept: KeptSlots,
  ) {
    this.#held = new Numbers((tenant) => sumOf(this.#look().workers, ({ workerId }) => kept.held(tenant, workerId)));
  }

  /** Asked of each tenant with work for the pool before anything is taken. */
  hasRoom(tenant: string): boolean {
    const percent = this.kept.percent(tenant);
    if (percent === 0) return true;
    const { slots } = this.#look();
    const left = Math.floor((slots * percent) / 100);
    return left === 0 || this.#held.of(tenant) < slots - left;
  }

  take(tenant: string, worker: OpenWorker): void {
    if (this.#able?.workers.has(worker)) this.#held.move(tenant, 1);
  }

  #look(): { workers: ReadonlySet<OpenWorker>; slots: number } {
    if (this.#able === undefined) {
      const workers = new Set(this.find());
      this.#able = { workers, slots: sumOf(workers, ({ size }) => size) };
    }
    return this.#able;
  }
}

function sumOf<T>(items: Iterable<T>, of: (item: T) => number): number {
  let sum = 0;
  for (const item of items) sum += of(item);
  return sum;
}

interface Candidate {
  worker: OpenWorker;
  agent: HostedAgent;
  /** Skills beyond what is needed: a specialist goes before a generalist. */
  spare: number;
}

interface Line {
  group: ReadyGroup;
  iterator: Iterator<ReadyAttempt>;
  head: ReadyAttempt;
  urgency: number;
  candidates: Candidate[];
  pool: Pool | undefined;
}

/** Of the workers given, `used` and `lastTurn` are moved on with each match. */
export function matchOffers(groups: Iterable<ReadyGroup>, workers: readonly OpenWorker[], rules: MatchRules): Match[] {
  const matches: Match[] = [];
  const matched = new Set<ReadyAttempt>();
  let turn = Math.max(0, ...workers.map((worker) => worker.lastTurn));
  const shares = new Shares(rules);
  const lines = openLines(groups, workers, rules, shares);
  const limit = rules.limit ?? Infinity;
  while (lines.length > 0 && matches.length < limit) {
    const index = nextLine(lines, shares);
    const line = lines[index]!;
    // Of two groups with the same attempt the other one may have been before.
    if (matched.has(line.head)) {
      if (!advance(line, rules)) lines.splice(index, 1);
      continue;
    }
    const allowed = shares.allow(line.group);
    const chosen = allowed && hasRoom(line) ? choose(line, rules, shares) : undefined;
    if (chosen) {
      turn += 1;
      take(chosen.worker, line, shares);
      chosen.worker.lastTurn = turn;
      shares.take(line.group, chosen.agent.name, chosen.worker);
      matches.push(matchOf(line, chosen, shares, rules.now));
      matched.add(line.head);
    }
    const full = !chosen && (!hasRoom(line) || line.candidates.every((candidate) => !isFree(candidate, line, shares)));
    if (allowed && full) rules.short?.(line.group);
    if (!allowed || full || !advance(line, rules)) lines.splice(index, 1);
  }
  return matches;
}

function hasRoom({ pool, group }: Pick<Line, 'pool' | 'group'>): boolean {
  return pool?.hasRoom(group.tenant) ?? true;
}

type Needs = Pick<ReadyGroup, 'skills' | 'labels' | 'agent' | 'tenant' | 'reserve' | 'reliefMs'>;

/**
 * Whether an agent may be given it: the one that is named, or whom that one has handed on to, or any with the skills. One tenant's agents
 * work for no other.
 */
export function isCapable({ name, skills, labels, tenant, standsFor }: HostedAgent, needs: Needs): boolean {
  if (tenant !== undefined && tenant !== needs.tenant) return false;
  if (!meetsLabels(labels, needs.labels)) return false;
  const isSkilled = () => needs.skills.every((skill) => skills.includes(skill));
  if (needs.agent === undefined) return isSkilled() && !needs.reserve?.includes(name);
  if (needs.reliefMs !== undefined) return name === needs.agent && isSkilled();
  return name === needs.agent || (standsFor?.some((other) => other.agent === needs.agent && other.tenant === needs.tenant) ?? false);
}

/** The agent of the worker that would do it; undefined: none can. A named agent needs no skills. Without needs the generalist is best. */
export function capableAgent(agents: readonly HostedAgent[], needs: Needs): HostedAgent | undefined {
  const able = agents.filter((agent) => isCapable(agent, needs));
  if (needs.agent !== undefined) return able.find(({ name }) => name === needs.agent) ?? able[0];
  return able.sort((a, b) => spareSkills(a, needs) - spareSkills(b, needs) || (a.name < b.name ? -1 : 1))[0];
}

function spareSkills(agent: HostedAgent, needs: Pick<ReadyGroup, 'skills'>): number {
  const outOfPlace = needs.skills.length === 0 && !agent.skills.includes('general') ? 1000 : 0;
  return outOfPlace + agent.skills.length - needs.skills.length;
}

function openLines(groups: Iterable<ReadyGroup>, workers: readonly OpenWorker[], rules: MatchRules, shares: Shares): Line[] {
  const lines: Line[] = [];
  // Many groups need the same: one for each tenant, for each limited run. Where agents are one tenant's own, or stand in for such, tenants
  // differ.
  const known = new Map<string, Pick<Line, 'candidates' | 'pool'>>();
  const isOwn = ({ tenant, standsFor }: HostedAgent) => tenant !== undefined || standsFor !== undefined;
  const differ = workers.some(({ agents }) => agents.some(isOwn));
  for (const group of groups) {
    if (!shares.allow(group)) continue;
    const needs = differ ? `${group.tenant} ${group.needs}` : group.needs;
    let able = known.get(needs);
    if (able === undefined) known.set(needs, (able = ableFor(group, workers, shares)));
    if (able.candidates.length === 0 || !hasRoom({ group, pool: able.pool })) {
      rules.short?.(group);
      continue;
    }
    const line = { group, iterator: group.attempts[Symbol.iterator](), ...able, urgency: 0 } as unknown as Line;
    if (advance(line, rules)) lines.push(line);
  }
  return lines;
}

function ableFor(group: ReadyGroup, workers: readonly OpenWorker[], shares: Shares): Pick<Line, 'candidates' | 'pool'> {
  const candidates = candidatesFor(group, workers, shares);
  if (candidates.length === 0) return { candidates, pool: undefined };
  return { candidates, pool: shares.pool(() => workers.filter(({ agents }) => agents.some((agent) => isCapable(agent, group)))) };
}

function candidatesFor(group: ReadyGroup, workers: readonly OpenWorker[], shares: Shares): Candidate[] {
  const candidates: Candidate[] = [];
  for (const worker of workers) {
    if (worker.used >= worker.slots && !mayBeOvertaken(worker)) continue;
    for (const agent of agentsFor(group, worker, shares.agents)) {
      candidates.push({ worker, agent, spare: group.agent === undefined ? spareSkills(agent, group) : 0 });
    }
  }
  return candidates;
}

/** The best agent of the worker, and beside one whose room is limited the best of the others. */
function agentsFor(group: ReadyGroup, worker: OpenWorker, room: Shares['agents']): HostedAgent[] {
  const usable = room ? worker.agents.filter((agent) => room.of(agent.name) > 0) : worker.agents;
  const best = capableAgent(usable, group);
  if (best === undefined) return [];
  if (room === undefined || room.of(best.name) === Infinity) return [best];
  const other = capableAgent(
    usable.filter((agent) => room.of(agent.name) === Infinity),
    group,
  );
  return other ? [best, other] : [best];
}

function isFree({ worker, agent }: Candidate, line: Line, shares: Shares): boolean {
  if (shares.agents !== undefined && shares.agents.of(agent.name) <= 0) return false;
  return worker.used < worker.slots || overtaken(worker, line, shares) !== undefined;
}

function mayBeOvertaken({ ahead, used }: OpenWorker): boolean {
  return ahead !== undefined && ahead.offers.length > 0 && used < ahead.most;
}

/** An offer that waits at the worker and has less right to the next slot than what the line would send. */
function overtaken(worker: OpenWorker, { group, urgency }: Line, { atWork }: Shares): number | undefined {
  if (!mayBeOvertaken(worker)) return undefined;
  const own = atWork.of(group.tenant);
  const index = worker.ahead!.offers.findIndex((offer) =>
    // Of another tenant: only if that one has more even when this attempt is counted, else the two would overtake each other for ever.
    offer.tenant === group.tenant ? urgency < offer.urgency : own + 1 < atWork.of(offer.tenant),
  );
  return index < 0 ? undefined : index;
}

function take(worker: OpenWorker, line: Line, shares: Shares): void {
  const index = worker.used < worker.slots ? undefined : overtaken(worker, line, shares);
  if (index !== undefined) worker.ahead!.offers.splice(index, 1);
  worker.used += 1;
}

function matchOf({ head, group, urgency }: Line, { worker, agent }: Candidate, { atWork }: Shares, now: number): Match {
  const turn = { tenant: group.tenant, atWork: atWork.of(group.tenant), urgency };
  const { workerId, epoch } = worker;
  const asked = group.insteadOf ?? group.agent;
  const insteadOf = asked === undefined || asked === agent.name ? {} : { insteadOf: asked };
  const waitedMs = queuedMs(group, head.readyAt, now);
  const begunWithLess = agent.underLoad?.less && !group.firm && waitedMs >= agent.underLoad.queueMs;
  const queued = group.reliefMs !== undefined || begunWithLess ? { queuedMs: waitedMs } : {};
  return { attempt: head, workerId, epoch, agent: agent.name, ...insteadOf, ...queued, turn };
}

function advance(line: Line, rules: MatchRules): boolean {
  for (let next = line.iterator.next(); !next.done; next = line.iterator.next()) {
    if (rules.skip?.(next.value)) continue;
    // They come the oldest first: those behind have not waited as long.
    if (line.group.reliefMs !== undefined && queuedMs(line.group, next.value.readyAt, rules.now) < line.group.reliefMs) return false;
    line.head = next.value;
    line.urgency = urgencyOf(line.group.rank, line.head.readyAt, rules.now, rules.ageingMs);
    return true;
  }
  return false;
}

function nextLine(lines: Line[], shares: Shares): number {
  let best = 0;
  for (let index = 1; index < lines.length; index += 1) if (compareLines(lines[index]!, lines[best]!, shares) < 0) best = index;
  return best;
}

function compareLines(a: Line, b: Line, { atWork }: Shares): number {
  if (a.group.tenant !== b.group.tenant) {
    const more = atWork.of(a.group.tenant) - atWork.of(b.group.tenant);
    if (more !== 0) return more;
  }
  if (a.urgency !== b.urgency) return a.urgency - b.urgency;
  if (a.head.readyAt !== b.head.readyAt) return a.head.readyAt - b.head.readyAt;
  // Who is asked for goes before who does it instead.
  if (a.head === b.head) return (a.group.reliefMs ?? -1) - (b.group.reliefMs ?? -1);
  return attemptKey(a.head) < attemptKey(b.head) ? -1 : 1;
}

function choose(line: Line, rules: MatchRules, shares: Shares): Candidate | undefined {
  const shunned = rules.shunned?.(line.head);
  let best: Candidate | undefined;
  for (const candidate of line.candidates) {
    if (!isFree(candidate, line, shares) || rules.holds?.(candidate.worker.workerId, line.head)) continue;
    if (!best || compareCandidates(candidate, best, shunned) < 0) best = candidate;
  }
  return best;
}

function compareCandidates(a: Candidate, b: Candidate, shunned: WorkerId | undefined): number {
  const penalty = (candidate: Candidate) => (candidate.worker.workerId === shunned ? 1 : 0);
  const full = ({ worker }: Candidate) => (worker.used < worker.slots ? 0 : 1);
  const misfit = (candidate: Candidate) => (candidate.spare >= 1000 ? 1 : 0);
  const load = (candidate: Candidate) => candidate.worker.used / candidate.worker.slots;
  return (
    penalty(a) - penalty(b) ||
    full(a) - full(b) ||
    misfit(a) - misfit(b) ||
    load(a) - load(b) ||
    a.spare - b.spare ||
    a.worker.lastTurn - b.worker.lastTurn ||
    (a.worker.workerId < b.worker.workerId ? -1 : 1)
  );
}
