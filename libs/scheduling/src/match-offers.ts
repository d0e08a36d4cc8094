/**
 * Matches ready attempts to free slots. The most urgent attempt goes first (priority, then age); among the workers that can do it the least
 * loaded one gets it, and of equals the one whose turn is longest ago. The same input gives the same matches.
 */
import type { AgentName, AgentSummary, WorkerId } from '@cadre/contracts';
import { attemptKey, type ReadyAttempt, type ReadyGroup } from './attempts.js';
import { urgencyOf } from './urgency.js';

/** A worker that may be offered work. */
export interface OpenWorker {
  workerId: WorkerId;
  epoch: string;
  agents: readonly AgentSummary[];
  slots: number;
  /** Slots taken: attempts held, running or offered. */
  used: number;
  /** Grows with each offer made to anybody; what it was when this worker was last chosen. */
  lastTurn: number;
}

export interface Match {
  attempt: ReadyAttempt;
  workerId: WorkerId;
  epoch: string;
  agent: AgentName;
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
  /** How many more attempts an agent may get; without it, or Infinity: as many as it has slots for. */
  room?: (agent: AgentName) => number;
  /** At most so many matches. */
  limit?: number;
}

/** What is left of the agents' room while matches are made. */
class Room {
  readonly #left = new Map<AgentName, number>();

  constructor(private readonly of: MatchRules['room']) {}

  /** Undefined when no agent is limited. */
  static of(rules: MatchRules): Room | undefined {
    return rules.room && new Room(rules.room);
  }

  /** Asked for once for each agent: who says so may have to look at all that runs. */
  left(agent: AgentName): number {
    let left = this.#left.get(agent);
    if (left === undefined) this.#left.set(agent, (left = this.of?.(agent) ?? Infinity));
    return left;
  }

  take(agent: AgentName): void {
    this.#left.set(agent, this.left(agent) - 1);
  }
}

interface Candidate {
  worker: OpenWorker;
  agent: AgentSummary;
  /** Skills beyond what is needed: a specialist goes before a generalist. */
  spare: number;
}

interface Line {
  group: ReadyGroup;
  iterator: Iterator<ReadyAttempt>;
  head: ReadyAttempt;
  urgency: number;
  candidates: Candidate[];
}

/** Of the workers given, `used` and `lastTurn` are moved on with each match. */
export function matchOffers(groups: Iterable<ReadyGroup>, workers: readonly OpenWorker[], rules: MatchRules): Match[] {
  const matches: Match[] = [];
  let turn = Math.max(0, ...workers.map((worker) => worker.lastTurn));
  const lines: Line[] = [];
  const room = Room.of(rules);
  for (const group of groups) {
    const line = openLine(group, workers, rules, room);
    if (line) lines.push(line);
  }
  const limit = rules.limit ?? Infinity;
  while (lines.length > 0 && matches.length < limit) {
    const index = mostUrgent(lines);
    const line = lines[index]!;
    const chosen = choose(line, rules, room);
    if (chosen) {
      turn += 1;
      chosen.worker.used += 1;
      chosen.worker.lastTurn = turn;
      room?.take(chosen.agent.name);
      matches.push({ attempt: line.head, workerId: chosen.worker.workerId, epoch: chosen.worker.epoch, agent: chosen.agent.name });
    }
    const full = !chosen && line.candidates.every((candidate) => !isFree(candidate, room));
    if (full || !advance(line, rules)) lines.splice(index, 1);
  }
  return matches;
}

/** The agent of the worker that would do it; undefined: none can. A named agent needs no skills. Without needs the generalist is best. */
export function capableAgent(agents: readonly AgentSummary[], needs: Pick<ReadyGroup, 'skills' | 'agent'>): AgentSummary | undefined {
  if (needs.agent !== undefined) return agents.find((agent) => agent.name === needs.agent);
  const able = agents.filter((agent) => needs.skills.every((skill) => agent.skills.includes(skill)));
  return able.sort((a, b) => spareSkills(a, needs) - spareSkills(b, needs) || (a.name < b.name ? -1 : 1))[0];
}

function spareSkills(agent: AgentSummary, needs: Pick<ReadyGroup, 'skills'>): number {
  const outOfPlace = needs.skills.length === 0 && !agent.skills.includes('general') ? 1000 : 0;
  return outOfPlace + agent.skills.length - needs.skills.length;
}

function openLine(group: ReadyGroup, workers: readonly OpenWorker[], rules: MatchRules, room: Room | undefined): Line | undefined {
  const candidates: Candidate[] = [];
  for (const worker of workers) {
    if (worker.used >= worker.slots) continue;
    for (const agent of agentsFor(group, worker, room)) {
      candidates.push({ worker, agent, spare: group.agent === undefined ? spareSkills(agent, group) : 0 });
    }
  }
  if (candidates.length === 0) return undefined;
  const iterator = group.attempts[Symbol.iterator]();
  const line = { group, iterator, candidates, urgency: 0 } as unknown as Line;
  return advance(line, rules) ? line : undefined;
}

/** The best agent of the worker, and beside one whose room is limited the best of the others. */
function agentsFor(group: ReadyGroup, worker: OpenWorker, room: Room | undefined): AgentSummary[] {
  const usable = room ? worker.agents.filter((agent) => room.left(agent.name) > 0) : worker.agents;
  const best = capableAgent(usable, group);
  if (best === undefined) return [];
  if (room === undefined || room.left(best.name) === Infinity) return [best];
  const other = capableAgent(
    usable.filter((agent) => room.left(agent.name) === Infinity),
    group,
  );
  return other ? [best, other] : [best];
}

function isFree({ worker, agent }: Candidate, room: Room | undefined): boolean {
  return worker.used < worker.slots && (room === undefined || room.left(agent.name) > 0);
}

function advance(line: Line, rules: MatchRules): boolean {
  for (let next = line.iterator.next(); !next.done; next = line.iterator.next()) {
    if (rules.skip?.(next.value)) continue;
    line.head = next.value;
    line.urgency = urgencyOf(line.group.rank, line.head.readyAt, rules.now, rules.ageingMs);
    return true;
  }
  return false;
}

function mostUrgent(lines: Line[]): number {
  let best = 0;
  for (let index = 1; index < lines.length; index += 1) if (compareLines(lines[index]!, lines[best]!) < 0) best = index;
  return best;
}

function compareLines(a: Line, b: Line): number {
  if (a.urgency !== b.urgency) return a.urgency - b.urgency;
  if (a.head.readyAt !== b.head.readyAt) return a.head.readyAt - b.head.readyAt;
  return attemptKey(a.head) < attemptKey(b.head) ? -1 : 1;
}

function choose(line: Line, rules: MatchRules, room: Room | undefined): Candidate | undefined {
  const shunned = rules.shunned?.(line.head);
  let best: Candidate | undefined;
  for (const candidate of line.candidates) {
    if (!isFree(candidate, room) || rules.holds?.(candidate.worker.workerId, line.head)) continue;
    if (!best || compareCandidates(candidate, best, shunned) < 0) best = candidate;
  }
  return best;
}

function compareCandidates(a: Candidate, b: Candidate, shunned: WorkerId | undefined): number {
  const penalty = (candidate: Candidate) => (candidate.worker.workerId === shunned ? 1 : 0);
  const misfit = (candidate: Candidate) => (candidate.spare >= 1000 ? 1 : 0);
  const load = (candidate: Candidate) => candidate.worker.used / candidate.worker.slots;
  return (
    penalty(a) - penalty(b) ||
    misfit(a) - misfit(b) ||
    load(a) - load(b) ||
    a.spare - b.spare ||
    a.worker.lastTurn - b.worker.lastTurn ||
    (a.worker.workerId < b.worker.workerId ? -1 : 1)
  );
}
