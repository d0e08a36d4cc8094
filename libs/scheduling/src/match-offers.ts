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
  /** At most so many matches. */
  limit?: number;
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
  for (const group of groups) {
    const line = openLine(group, workers, rules);
    if (line) lines.push(line);
  }
  const limit = rules.limit ?? Infinity;
  while (lines.length > 0 && matches.length < limit) {
    const index = mostUrgent(lines);
    const line = lines[index]!;
    const chosen = choose(line, rules);
    if (chosen) {
      turn += 1;
      chosen.worker.used += 1;
      chosen.worker.lastTurn = turn;
      matches.push({ attempt: line.head, workerId: chosen.worker.workerId, epoch: chosen.worker.epoch, agent: chosen.agent.name });
    }
    const full = !chosen && line.candidates.every(({ worker }) => worker.used >= worker.slots);
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

function openLine(group: ReadyGroup, workers: readonly OpenWorker[], rules: MatchRules): Line | undefined {
  const candidates: Candidate[] = [];
  for (const worker of workers) {
    if (worker.used >= worker.slots) continue;
    const agent = capableAgent(worker.agents, group);
    if (agent) candidates.push({ worker, agent, spare: group.agent === undefined ? spareSkills(agent, group) : 0 });
  }
  if (candidates.length === 0) return undefined;
  const iterator = group.attempts[Symbol.iterator]();
  const line = { group, iterator, candidates, urgency: 0 } as unknown as Line;
  return advance(line, rules) ? line : undefined;
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

function choose(line: Line, rules: MatchRules): Candidate | undefined {
  const shunned = rules.shunned?.(line.head);
  let best: Candidate | undefined;
  for (const candidate of line.candidates) {
    if (candidate.worker.used >= candidate.worker.slots || rules.holds?.(candidate.worker.workerId, line.head)) continue;
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
