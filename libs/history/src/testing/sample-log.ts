/** Hand-written runs that hold every type of event, for the contract suite and for tests of services. */
import {
  makeRunId,
  RunOptions,
  TaskSpec,
  type CallReservation,
  type CallSettlement,
  type Commit,
  type RunEvent,
  type Question,
  type RunId,
  type TaskResult,
  type TaskSpecInput,
} from '@cadre/contracts';
import type { StoredBlock } from '@cadre/engine';

/** A run id whose uuid ends in a number. */
export function sampleRunId(n: number, shard = 0): RunId {
  return makeRunId(shard, `0190a000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`);
}

export interface SampleRun {
  runId: RunId;
  tenant?: string;
  goal?: string;
  at?: number;
  /** Answer of the first task. */
  answer?: string;
}

/** A finished run of three tasks: one retried and completed, one failed, one skipped. Ten commits. */
export function sampleRun(sample: SampleRun): Commit[] {
  const at = sample.at ?? 1_790_000_000_000;
  const usage = { modelCalls: 1, toolCalls: 1, inputTokens: 120, outputTokens: 30, costMicros: 45 };
  const done = { taskId: 'zeta', attempt: 2 };
  const steps: RunEvent[][] = [
    [startedEvent(sample, at)],
    [added('submitted', [{ id: 'zeta' }, { id: 'a' }, { id: 'later', dependsOn: ['zeta', 'a'] }])],
    [scheduled('zeta', 1, at), scheduled('a', 1, at)],
    [started('zeta', 1, at)],
    [failed('zeta', 1), scheduled('zeta', 2, at)],
    [started('zeta', 2, at), started('a', 1, at)],
    [
      { type: 'CallsReserved', ...done, calls: [reserved('a', 'model'), reserved('b', 'tool')] },
      { type: 'CallsSettled', ...done, calls: [settled('a', at), settled('b', at)] },
    ],
    [{ type: 'TaskCompleted', ...done, result: result(sample.answer ?? 'It is 42.') }],
    [failed('a', 1), { type: 'TaskFailed', taskId: 'a', error: { code: 'tool-failed', message: 'no such file', retriable: false } }],
    [
      { type: 'TaskSkipped', taskId: 'later', cause: 'dependency', reason: 'a failed' },
      { type: 'RunCompleted', answer: { text: 'Partly.' }, partial: true, missing: ['later'], artifacts: result('').artifacts, usage },
    ],
  ];
  return commits(sample.runId, at, steps);
}

/** A run that is cancelled while its task waits for a worker. Four commits. */
export function cancelledRun(sample: SampleRun): Commit[] {
  const at = sample.at ?? 1_790_000_000_000;
  const usage = { modelCalls: 0, toolCalls: 0, inputTokens: 0, outputTokens: 0, costMicros: 0 };
  return commits(sample.runId, at, [
    [startedEvent(sample, at), added('engine', [{ id: 'plan' }]), scheduled('plan', 1, at)],
    [{ type: 'CancelRequested', reason: 'not needed', graceUntil: at + 5000 }],
    [{ type: 'TaskCancelled', taskId: 'plan' }],
    [{ type: 'RunCancelled', reason: 'not needed', artifacts: [], usage }],
  ]);
}

/** A run whose task waits for an event, which comes. Three commits. */
export function waitingRun(sample: SampleRun): Commit[] {
  const at = sample.at ?? 1_790_000_000_000;
  const usage = { modelCalls: 0, toolCalls: 0, inputTokens: 0, outputTokens: 0, costMicros: 0 };
  const task = { id: 'paid', wait: { event: 'order.paid' } };
  return commits(sample.runId, at, [
    [startedEvent(sample, at), added('submitted', [task]), { type: 'TaskOpened', taskId: 'paid' }],
    [{ type: 'TaskCompleted', taskId: 'paid', attempt: 0, result: result('{}') }],
    [{ type: 'RunCompleted', answer: { text: 'Paid.' }, partial: false, artifacts: [], usage }],
  ]);
}

/**
 * A run that asks twice: after a call with an effect whose outcome is unknown (answered: it has happened), and on the cap of its money,
 * where it is cancelled. Eleven commits; the model is called three times, once in vain, and the first of its answers is kept for the second
 * attempt.
 */
export function askingRun(sample: SampleRun): Commit[] {
  const at = sample.at ?? 1_790_000_000_000;
  const [first, second] = [
    { taskId: 'buy', attempt: 1 },
    { taskId: 'buy', attempt: 2 },
  ];
  const order = { ...reserved('b', 'tool'), name: 'place_order', effect: 'once' as const, maxCostMicros: 100 };
  const unknown = { ...settled('b', at), outcome: 'unknown' as const, ok: false, costMicros: 100, inputTokens: 0, outputTokens: 0 };
  const usage = { modelCalls: 3, toolCalls: 1, inputTokens: 180, outputTokens: 45, costMicros: 150, overrunMicros: 3 };
  return commits(sample.runId, at, [
    [startedEvent(sample, at), added('submitted', [{ id: 'buy' }, { id: 'other' }]), scheduled('buy', 1, at)],
    [started('buy', 1, at)],
    [{ type: 'CallsReserved', ...first, calls: [reserved('a', 'model')] }],
    [
      { type: 'CallsSettled', ...first, calls: [settled('a', at)] },
      { type: 'CallsReserved', ...first, calls: [order] },
    ],
    [{ type: 'CallsSettled', ...first, calls: [unknown] }, { ...waiting('buy', 1), counted: false }, asked('q1', 'effect', at)],
    [
      { type: 'QuestionAnswered', taskId: 'buy', questionId: 'q1', choice: 'done', by: 'ada', note: 'seen it' },
      { type: 'CallsSettled', ...first, calls: [{ ...settled('b', at), costMicros: 0, note: 'said by ada', body: { text: '{}' } }] },
      scheduled('buy', 2, at),
    ],
    [started('buy', 2, at)],
    [{ type: 'CallsReserved', ...second, calls: [reserved('c', 'model')] }],
    [
      { type: 'CallsSettled', ...second, calls: [{ ...settled('c', at), outcome: 'failed', ok: false, costMicros: 0, note: 'refused' }] },
      { type: 'CallsReserved', ...second, calls: [{ ...reserved('c', 'model'), try: 2 }] },
    ],
    [
      { type: 'CallsSettled', ...second, calls: [{ ...settled('c', at), try: 2, costMicros: 28, overrunMicros: 3 }] },
      { type: 'CallRefused', ...second, key: keyOf('d'), kind: 'model', name: 'sim', maxCostMicros: 900, limit: 'run', then: 'ask' },
      { ...waiting('buy', 2), counted: false },
      asked('q2', 'budget', at),
    ],
    [
      { type: 'CancelRequested', reason: 'enough', graceUntil: at + 5000 },
      { type: 'TaskCancelled', taskId: 'buy' },
      { type: 'TaskCancelled', taskId: 'other' },
      { type: 'RunCancelled', reason: 'enough', artifacts: [], usage },
    ],
  ]);
}

/** A run with one task that stays open. One commit. */
export function openRun(sample: SampleRun): Commit[] {
  const at = sample.at ?? 1_790_000_000_000;
  return commits(sample.runId, at, [[startedEvent(sample, at), added('submitted', [{ id: 'only' }]), scheduled('only', 1, at)]]);
}

/** Commits as blocks of a shard, `perBlock` each, numbered from `firstSeq`. */
export function toBlocks(list: readonly Commit[], perBlock = 1, firstSeq = 1, shard = 0): StoredBlock[] {
  const blocks: StoredBlock[] = [];
  for (let i = 0; i < list.length; i += perBlock) {
    const part = list.slice(i, i + perBlock);
    const seq = firstSeq + blocks.length;
    blocks.push({
      seq,
      block: { v: 1, id: `block-${shard}-${seq}`, shard, owner: 'test', kind: 'commits', at: part[0]?.at ?? 0, commits: part },
    });
  }
  return blocks;
}

function commits(runId: RunId, at: number, steps: RunEvent[][]): Commit[] {
  return steps.map((events, index) => ({ runId, seq: index + 1, at: at + index * 10, cause: `command-${index + 1}`, events }));
}

function startedEvent(sample: SampleRun, at: number): RunEvent {
  return {
    type: 'RunStarted',
    tenant: sample.tenant ?? 'default',
    goal: sample.goal ?? 'Find the answer',
    inputs: [],
    options: RunOptions.parse({ labels: { zebra: '1', ant: '2' } }),
    fingerprint: 'f',
    deadlineAt: at + 60_000,
  };
}

function added(source: 'submitted' | 'engine', specs: Pick<TaskSpecInput, 'id' | 'dependsOn' | 'wait'>[]): RunEvent {
  const tasks = specs.map((spec): TaskSpecInput => ({
    title: `Do ${spec.id}`,
    instructions: 'Do it.',
    input: { z: 1, a: [null, 'x'] },
    ...spec,
  }));
  return { type: 'TasksAdded', source, tasks: tasks.map((task) => TaskSpec.parse(task)) };
}

function scheduled(taskId: string, attempt: number, at: number): RunEvent {
  return { type: 'AttemptScheduled', taskId, attempt, notBefore: at };
}

function started(taskId: string, attempt: number, at: number): RunEvent {
  return { type: 'AttemptStarted', taskId, attempt, agent: 'analyst', workerId: 'w1', deadlineAt: at + 10_000, tools: [] };
}

function failed(taskId: string, attempt: number): RunEvent {
  return {
    type: 'AttemptFailed',
    taskId,
    attempt,
    error: { code: 'tool-failed', message: 'no such file', retriable: true },
    counted: true,
  };
}

function waiting(taskId: string, attempt: number): Extract<RunEvent, { type: 'AttemptFailed' }> {
  const error = { code: 'waiting-for-answer', message: 'A person is asked.', retriable: false };
  return { type: 'AttemptFailed', taskId, attempt, error, counted: true };
}

function asked(questionId: string, kind: Question['kind'], at: number): RunEvent {
  const about: Partial<Question> = kind === 'effect' ? { key: keyOf('b'), tool: 'place_order' } : { limit: 'run', neededMicros: 7 };
  const choices: Question['choices'] = kind === 'effect' ? ['done', 'repeat', 'deny'] : ['approve', 'deny'];
  const question: Question = { questionId, taskId: 'buy', kind, text: 'What now?', choices, dueAt: at + 30_000, ...about };
  return { type: 'QuestionAsked', taskId: 'buy', question };
}

/** A key of 32 hex digits. */
function keyOf(letter: string): string {
  return letter.repeat(32);
}

function reserved(letter: string, kind: 'model' | 'tool'): CallReservation {
  return { key: keyOf(letter), try: 1, kind, name: kind === 'model' ? 'sim' : 'read_file', maxCostMicros: 25 };
}

function settled(letter: string, at: number): CallSettlement {
  return {
    key: keyOf(letter),
    try: 1,
    outcome: 'done',
    ok: true,
    note: 'read',
    at,
    durationMs: 5,
    inputTokens: 60,
    outputTokens: 15,
    costMicros: 22,
  };
}

function result(text: string): TaskResult {
  const artifact = { name: 'report.md', sha256: 'a'.repeat(64), size: 12, mediaType: 'text/markdown' };
  return { answer: { text }, confidence: 0.8, artifacts: [artifact] };
}
