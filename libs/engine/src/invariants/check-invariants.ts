/**
 * Checks the invariants of the design on a shard's log, and on whatever was seen beside it. Invariants 3 to 10 are checked by a fold
 * of its own; only the comparison with snapshots and the read model uses the engine's fold.
 */
import type { Block, Json, RunView } from '@cadre/contracts';
import { AccountAudit } from './account-audit.js';
import { compareSnapshot, compareView, FoldedRuns } from './compare.js';
import { RunAudit } from './run-audit.js';
import type { Report, Violation } from './violation.js';

/** Sums of the owners' counters. */
export interface CommandCounts {
  received: number;
  accepted: number;
  duplicate: number;
  rejected: number;
  /** Answered "ask again". */
  unavailable?: number;
  deadLettered?: number;
}

/** What to check: a shard's blocks, and whatever other evidence there is. */
export interface InvariantEvidence {
  /** How many shards there are; 1 when left out. */
  shards?: number;
  /** From the shard's first block on, in order. */
  blocks: readonly { seq: number; block: Block }[];
  /** Stored snapshots: shard states and the sequence that they stand for. */
  snapshots?: readonly { seq: number; state: Json }[];
  /** Run views of the read model, once it has caught up. */
  views?: readonly RunView[];
  /** `views` holds every run of the shard. */
  viewsComplete?: boolean;
  /** Runs whose start was answered `accepted` or `duplicate`. */
  submissions?: readonly { runId: string; fingerprint?: string }[];
  /** Commands (by id: the cause of a commit) that were answered `accepted`. */
  acceptedCommands?: readonly { runId: string; commandId: string }[];
  commands?: CommandCounts;
  /** The system is quiet: each run must have ended. */
  finished?: boolean;
  /** Time of the check, milliseconds since 1970; with it, open runs past their deadline are found even if nothing was logged since. */
  now?: number;
  /** How long after a deadline, or the grace time of a cancel, a run may take to end; 5000 when left out. */
  graceMs?: number;
}

/** Follows the log of one shard, block by block. */
export class ShardAudit {
  readonly runs = new Map<string, RunAudit>();
  readonly folded = new FoldedRuns();
  /** Made at the first block, which names the shard. */
  accounts: AccountAudit | undefined;
  readonly #report: Report;
  readonly #blockIds = new Set<string>();
  #lastSeq = 0;
  #claimant: string | undefined;

  /** @param shards how many there are */
  constructor(
    report: Report,
    private readonly shards = 1,
  ) {
    this.#report = report;
  }

  block(seq: number, block: Block): void {
    const complain = (clause: string, message: string): void => this.#report({ invariant: 1, clause, message, blockSeq: seq });
    if (seq !== this.#lastSeq + 1) complain('block-gap', `block ${seq} follows ${this.#lastSeq}`);
    this.#lastSeq = seq;
    if (this.#blockIds.has(block.id)) complain('block-repeated', `block ${block.id} is stored twice`);
    this.#blockIds.add(block.id);
    if (block.kind === 'claim') this.#claimant = block.owner;
    else if (this.#claimant !== undefined && this.#claimant !== block.owner) {
      complain('foreign-owner', `${block.owner} wrote after ${this.#claimant} had claimed the shard`);
    }
    this.accounts ??= new AccountAudit(block.shard, this.shards, this.#report);
    this.accounts.block(seq, block);
    for (const commit of block.commits) {
      let run = this.runs.get(commit.runId);
      if (!run) this.runs.set(commit.runId, (run = new RunAudit(commit.runId, this.#report)));
      run.commit(commit, seq);
      this.folded.commit(commit, seq, this.#report);
    }
  }
}

function checkSubmissions(evidence: InvariantEvidence, runs: ReadonlyMap<string, RunAudit>, report: Report): void {
  for (const { runId, fingerprint } of evidence.submissions ?? []) {
    const run = runs.get(runId);
    if (!run || run.starts === 0) {
      report({ invariant: 2, clause: 'submission-lost', message: `${runId} was accepted, but the log does not have it`, runId });
    } else if (fingerprint !== undefined && run.fingerprint !== fingerprint) {
      report({ invariant: 2, clause: 'other-request', message: `${runId} runs another request than the one accepted`, runId });
    }
  }
  for (const { runId, commandId } of evidence.acceptedCommands ?? []) {
    if (runs.get(runId)?.causes.has(commandId)) continue;
    report({
      invariant: 2,
      clause: 'answered-commit-lost',
      message: `${runId}: command ${commandId} was answered, but has no commit`,
      runId,
    });
  }
}

function checkCounts(counts: CommandCounts | undefined, report: Report): void {
  if (!counts) return;
  const { received, accepted, duplicate, rejected, unavailable = 0, deadLettered = 0 } = counts;
  const answered = accepted + duplicate + rejected + unavailable + deadLettered;
  if (answered === received) return;
  const message = `${received} commands came in, ${answered} were applied, recognised, rejected, sent back or dead-lettered`;
  report({ invariant: 11, clause: 'counts', message });
}

function checkViews(evidence: InvariantEvidence, folded: FoldedRuns, report: Report): void {
  for (const view of evidence.views ?? []) compareView(folded.runs.get(view.runId), view, report);
  if (!evidence.viewsComplete) return;
  const shown = new Set(evidence.views?.map((view) => view.runId));
  for (const runId of folded.runs.keys()) {
    if (!shown.has(runId)) report({ invariant: 1, clause: 'view-missing', message: `the read model does not show ${runId}`, runId });
  }
}

/** @returns what is broken, in the order in which it was found; an empty list when nothing is */
export function checkInvariants(evidence: InvariantEvidence): Violation[] {
  const violations: Violation[] = [];
  const report: Report = (violation) => void violations.push(violation);
  const audit = new ShardAudit(report, evidence.shards);
  const snapshots = [...(evidence.snapshots ?? [])].sort((a, b) => a.seq - b.seq);
  const compareUpTo = (seq: number): void => {
    for (let next = snapshots[0]; next && next.seq <= seq; next = snapshots[0]) {
      compareSnapshot(audit.folded.runs, next, report);
      snapshots.shift();
    }
  };
  compareUpTo(0);
  for (const { seq, block } of evidence.blocks) {
    audit.block(seq, block);
    compareUpTo(seq);
  }
  for (const { seq } of snapshots) {
    report({
      invariant: 1,
      clause: 'snapshot-ahead',
      message: `a snapshot stands for ${seq}, which the log does not reach`,
      blockSeq: seq,
    });
  }
  const times = { now: evidence.now, graceMs: evidence.graceMs ?? 5000, finished: evidence.finished ?? false };
  for (const run of audit.runs.values()) run.finish(times);
  checkSubmissions(evidence, audit.runs, report);
  checkCounts(evidence.commands, report);
  checkViews(evidence, audit.folded, report);
  return violations;
}
