/** The attempts that scheduling is about. */
import { labelText } from '@cadre/contracts';
import type { AgentName, HeldAttempt, Labels, Offer, RunId, TaskId, WorkerId } from '@cadre/contracts';

export interface ReadyAttempt {
  runId: RunId;
  taskId: TaskId;
  attempt: number;
  tenant: string;
  /** How many attempts of its run may be at work at once. */
  runLimit?: number;
  /** See `rankOf`. */
  rank: number;
  skills: readonly string[];
  labels?: Labels;
  /** Only this agent may take it. */
  agent?: AgentName;
  /** Its task asks for skills: the agent is the one that has begun it. */
  begun?: true;
  /** A planning task is told which agents there are. */
  planning: boolean;
  /** Whatever agents give up under load is not given up for it: it forbids that, or somebody has begun it. */
  firm?: true;
  /** A bid: the offer tells what is known of the bidder. */
  bidding?: boolean;
  /** Since when it may be started; ageing counts from here. Milliseconds since 1970. */
  readyAt: number;
  /** What `attemptKey` gives, when it has been made already. */
  key?: string;
}

export interface RunningAttempt {
  runId: RunId;
  taskId: TaskId;
  attempt: number;
  tenant: string;
  agent: AgentName;
  workerId: WorkerId;
  deadlineAt: number;
  /** When the start was seen here, on the local clock; the owner's clock may differ. */
  seenAt: number;
  /** Key of the attempt from whose result its worker went on; until the worker hears of that, it lists the old one. */
  after?: string;
}

/** Attempts alike in rank, needs and limits: what holds for the first one's candidates holds for all. */
export interface ReadyGroup {
  tenant: string;
  /** Set when the run limits how much of it is at work. */
  run?: { runId: RunId; limit: number };
  rank: number;
  skills: readonly string[];
  labels?: Labels;
  agent?: AgentName;
  begun?: true;
  firm?: true;
  /** Who has begun it and was removed, so that others may take it; with `reliefMs`: who has had no free slot for it. */
  insteadOf?: AgentName;
  /**
   * Only for attempts that have been without a free slot so long, and only for `agent`, if it has the skills. The same attempts are in
   * another group, too.
   */
  reliefMs?: number;
  /** Agents that have the skills but may take it only when it has waited. */
  reserve?: readonly AgentName[];
  /** Since when there has been no free slot for the group without a break, in milliseconds since 1970; left out: there was one. */
  shortSince?: number;
  /** Same text, same candidates. */
  needs: string;
  /** Oldest first. */
  attempts: Iterable<ReadyAttempt>;
}

/** How long an attempt has been without a free slot, in milliseconds. */
export function queuedMs({ shortSince }: ReadyGroup, readyAt: number, now: number): number {
  return shortSince === undefined ? 0 : Math.max(0, now - Math.max(readyAt, shortSince));
}

export type AttemptName = HeldAttempt;

export function attemptKey({ runId, taskId, attempt, key }: AttemptName & { key?: string }): string {
  return key ?? `${runId}/${taskId}/${attempt}`;
}

/** Same key, same group. */
export function groupKey(attempt: ReadyAttempt): string {
  const { rank, tenant, runId, runLimit: limit } = attempt;
  return nameOfGroup({ ...{ rank, tenant, needs: needsKey(attempt) }, ...(limit !== undefined && { run: { runId, limit } }) });
}

type Needs = Pick<ReadyGroup, 'skills' | 'labels' | 'agent' | 'begun' | 'firm'>;

export function needsKey({ skills, labels, agent, begun, firm }: Needs): string {
  const where = labels === undefined ? '' : ` ${labelText(labels)}`;
  return `${agent ?? ''}${begun ? '?' : ''}${firm ? '!' : ''} ${[...skills].sort().join(',')}${where}`;
}

/** Names a group beside the others of one moment, and the same group at a later one. */
export function nameOfGroup({ rank, tenant, run, needs }: Pick<ReadyGroup, 'rank' | 'tenant' | 'run' | 'needs'>): string {
  return `${rank} ${tenant} ${run?.runId ?? ''} ${needs}`;
}

function byAge(a: ReadyAttempt, b: ReadyAttempt): number {
  return a.readyAt - b.readyAt || (attemptKey(a) < attemptKey(b) ? -1 : 1);
}

/** Groups attempts, each group oldest first. */
export function groupReady(attempts: Iterable<ReadyAttempt>): ReadyGroup[] {
  const groups = new Map<string, ReadyGroup & { attempts: ReadyAttempt[] }>();
  for (const attempt of [...attempts].sort(byAge)) {
    const key = groupKey(attempt);
    const group = groups.get(key);
    if (group) group.attempts.push(attempt);
    else groups.set(key, { ...groupOf(attempt), attempts: [attempt] });
  }
  return [...groups.values()];
}

export function groupOf({ runId, runLimit, tenant, rank, ...of }: ReadyAttempt): Omit<ReadyGroup, 'attempts'> {
  const { skills, labels, agent, begun, firm } = of;
  const asked = {
    skills,
    ...(labels && { labels }),
    ...(agent !== undefined && { agent }),
    ...(begun && { begun }),
    ...(firm && { firm }),
  };
  return { ...{ tenant, rank, ...asked, needs: needsKey(asked) }, ...(runLimit !== undefined && { run: { runId, limit: runLimit } }) };
}

/** Work that asks for skills goes to whoever has them once the agent is removed that has begun it. */
export function freeOfRemoved(group: ReadyGroup, isRemoved: (tenant: string, agent: AgentName) => boolean): ReadyGroup {
  const { agent, begun, ...rest } = group;
  if (agent === undefined || !begun || !isRemoved(group.tenant, agent)) return group;
  return { ...rest, needs: needsKey(rest), insteadOf: agent };
}

/** All offers to one life of one worker. */
export interface WorkerOffers {
  workerId: WorkerId;
  epoch: string;
  offers: Offer[];
}
