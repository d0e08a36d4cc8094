/**
 * The standard tools: names, argument and result shapes. The workers implement them, agents are granted them by name, and a model
 * (or the deterministic model server) reads their results.
 */
import { z } from 'zod';
import { ChannelName, MAX_MESSAGE_WAIT_MS, Message, MessageAccepted, SendRequest, TypePattern } from './channels.js';
import { ContextName, ContextSettings, ContextTag, ContextVersion } from './context.js';
import { AgentName, TaskId } from './ids.js';
import { MemoryMessage } from './memory.js';
import { Skill } from './plan.js';
import { Expression } from './scopes.js';
import { BlobRef, Json, WorkspacePath } from './values.js';

const Cell = z.union([z.string(), z.number(), z.boolean(), z.null()]);
export type Cell = z.infer<typeof Cell>;

export const ColumnProfile = z.object({
  name: z.string(),
  type: z.enum(['integer', 'number', 'boolean', 'date', 'timestamp', 'text', 'other']),
  nulls: z.int(),
  distinct: z.int(),
  /** Numbers, or ISO 8601 strings for dates. */
  min: Cell.optional(),
  max: Cell.optional(),
  mean: z.number().optional(),
  stddev: z.number().optional(),
  p25: z.number().optional(),
  median: z.number().optional(),
  p75: z.number().optional(),
  /** The most frequent values of columns with at most 200 distinct ones, at most 10. */
  top: z.array(z.object({ value: Cell, count: z.int() })).optional(),
});
export type ColumnProfile = z.infer<typeof ColumnProfile>;

export const DataProfile = z.object({
  file: z.string(),
  /** Name of the file's table in `query_data`. */
  table: z.string(),
  format: z.enum(['csv', 'tsv', 'json', 'ndjson', 'parquet']),
  rows: z.int(),
  columns: z.array(ColumnProfile),
  /** Columns that look like time, measures (numbers that are not ids) and dimensions (few distinct values), best first. */
  suggested: z.object({ time: z.string().optional(), measures: z.array(z.string()), dimensions: z.array(z.string()) }),
});
export type DataProfile = z.infer<typeof DataProfile>;

export const TrendPoint = z.object({ bucket: z.string(), rows: z.int(), mean: z.number(), min: z.number(), max: z.number() });
export const Trend = z.object({
  file: z.string(),
  time: z.string(),
  measure: z.string(),
  grain: z.enum(['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second', 'value']),
  points: z.array(TrendPoint).max(400),
  /** Least-squares slope of the buckets' means, per bucket. */
  slopePerBucket: z.number(),
  r2: z.number(),
  direction: z.enum(['rising', 'falling', 'flat']),
  /** First and last bucket's mean. */
  first: z.number(),
  last: z.number(),
});
export type Trend = z.infer<typeof Trend>;

export const Anomalies = z.object({
  file: z.string(),
  measure: z.string(),
  /** Tukey's fences: quartiles less and plus 1.5 times the interquartile range. */
  lower: z.number(),
  upper: z.number(),
  count: z.int(),
  /** The rows farthest outside, at most 10. */
  rows: z.array(z.record(z.string(), Cell)),
});
export type Anomalies = z.infer<typeof Anomalies>;

export const TypeDiagnostic = z.object({ file: z.string(), line: z.int(), code: z.string(), message: z.string() });
export const Finding = z.object({
  file: z.string(),
  line: z.int(),
  rule: z.string(),
  severity: z.enum(['error', 'warning', 'info']),
  message: z.string(),
});
export type Finding = z.infer<typeof Finding>;
export const ApiExport = z.object({ name: z.string(), kind: z.string(), signature: z.string(), doc: z.string() });

/** Who is to do it: an agent by name, or whoever has the skills. */
const peer = { agent: AgentName.optional(), skills: z.array(Skill).max(10).default([]) };
const work = { instructions: z.string().min(1).max(8000), input: Json.optional() };

/** What came of work that was given to others. */
export const Delegated = z.object({
  results: z.array(
    z.object({
      task: z.string(),
      status: z.enum(['completed', 'failed', 'skipped', 'cancelled']),
      agent: z.string().optional(),
      /** Shortened where many are long; the whole is among the results of the attempt. */
      answer: z.string().optional(),
      /** Left out beside an answer: not known. */
      confidence: z.number().optional(),
      artifacts: z.array(z.string()),
      error: z.string().optional(),
    }),
  ),
});
export type Delegated = z.infer<typeof Delegated>;

/** Tools that read what other agents and people write: what they answer holds for this moment, and for who may read it now. */
export const SHARED_READING_TOOLS: readonly string[] = ['context_get', 'context_list', 'read_messages', 'recall_memory'];

/** Tools that leave everything as it is, the workspace too: such calls of one turn are made side by side. */
export const READING_TOOLS: readonly string[] = [
  ...['list_files', 'read_file', 'profile_data', 'query_data', 'find_trends', 'find_anomalies', 'describe_api'],
  ...['context_get', 'context_list', 'recall_memory'],
];

/** Tools that give work to other agents. Who calls one has no slot while it waits. */
export const DELEGATING_TOOLS = ['ask_agent', 'delegate', 'hand_off'] as const;
export type DelegatingTool = (typeof DELEGATING_TOOLS)[number];

/** What a model reads of a version in the context store. */
const ContextFound = ContextVersion.pick({ version: true, at: true, by: true, tags: true }).extend({
  name: ContextName,
  mediaType: z.string(),
  size: z.int(),
});
/** An agent's id of a message is the key of the call, and who sends it is known. */
const AgentMessage = SendRequest.omit({ id: true, from: true }).extend({ channel: ChannelName });

/** Name → purpose, arguments, result. A failing tool answers `{ "error": "…" }` instead. */
export const TOOLS = {
  list_files: {
    description: "List the files of the workspace: the run's inputs (under inputs/), artifacts of earlier tasks, and your own files.",
    args: z.strictObject({}),
    result: z.object({ files: z.array(z.object({ path: z.string(), size: z.int(), origin: z.enum(['input', 'artifact', 'own']) })) }),
  },
  read_file: {
    description:
      'Read a text file of the workspace, from a byte offset. nextOffset says where the next part begins. With search, the lines that hold a text, whatever its case.',
    args: z.strictObject({
      path: WorkspacePath,
      offset: z.int().min(0).default(0),
      maxBytes: z.int().min(1).max(200_000).default(20_000),
      search: z.string().min(1).max(200).optional(),
    }),
    result: z.object({
      path: z.string(),
      size: z.int(),
      text: z.string(),
      truncated: z.boolean(),
      /** Byte at which the next part, or the next match, begins; left out: there is no more. */
      nextOffset: z.int().optional(),
      /** Of a search: at most 50 lines, counted from 1 at `offset`. */
      matches: z.array(z.object({ line: z.int(), offset: z.int(), text: z.string() })).optional(),
    }),
  },
  write_file: {
    description: 'Write a text file into the workspace. It becomes an artifact of the run. Inputs cannot be overwritten.',
    args: z.strictObject({ path: WorkspacePath, text: z.string().max(1_000_000) }),
    result: z.object({ path: z.string(), size: z.int() }),
  },
  profile_data: {
    description: 'Profile a data file (CSV, TSV, JSON, NDJSON or Parquet): rows, columns, types, ranges, frequent values.',
    args: z.strictObject({ file: WorkspacePath }),
    result: DataProfile,
  },
  query_data: {
    description: 'Run one read-only SQL query (DuckDB) over the data files; each file is a table, named as profile_data says.',
    args: z.strictObject({ sql: z.string().min(1).max(5000), limit: z.int().min(1).max(1000).default(100) }),
    result: z.object({ columns: z.array(z.string()), rows: z.array(z.array(Cell)), truncated: z.boolean() }),
  },
  find_trends: {
    description: 'How a measure develops over a time (or ordered number) column: bucket means, slope, direction.',
    args: z.strictObject({ file: WorkspacePath, time: z.string().min(1), measure: z.string().min(1) }),
    result: Trend,
  },
  find_anomalies: {
    description: "Values of a measure outside Tukey's fences.",
    args: z.strictObject({ file: WorkspacePath, measure: z.string().min(1) }),
    result: Anomalies,
  },
  draw_chart: {
    description: "Draw a chart of a query's result (columns x and y, optional series) as an SVG file in the workspace.",
    args: z.strictObject({
      kind: z.enum(['line', 'bar', 'point', 'histogram']),
      title: z.string().min(1).max(200),
      sql: z.string().min(1).max(5000),
      xTitle: z.string().max(100),
      yTitle: z.string().max(100),
      path: WorkspacePath,
    }),
    result: z.object({ path: z.string(), size: z.int(), points: z.int() }),
  },
  check_types: {
    description: "Type-check TypeScript files of the workspace (strict, Node's types, erasable syntax only).",
    args: z.strictObject({ files: z.array(WorkspacePath).min(1).max(50) }),
    result: z.object({ ok: z.boolean(), diagnostics: z.array(TypeDiagnostic) }),
  },
  run_tests: {
    description: 'Run test files of the workspace with node --test, without network, with limits on time, memory and output.',
    args: z.strictObject({ files: z.array(WorkspacePath).min(1).max(50) }),
    result: z.object({
      ok: z.boolean(),
      passed: z.int(),
      failed: z.int(),
      skipped: z.int(),
      stopped: z.enum(['time', 'memory', 'output']).optional(),
      failures: z.array(z.object({ name: z.string(), message: z.string() })),
      output: z.string(),
    }),
  },
  describe_api: {
    description: 'List what TypeScript files export: names, kinds, signatures, doc comments.',
    args: z.strictObject({ files: z.array(WorkspacePath).min(1).max(50) }),
    result: z.object({ modules: z.array(z.object({ file: z.string(), exports: z.array(ApiExport) })) }),
  },
  static_checks: {
    description: 'Check TypeScript files for defects: type errors, unused code, dangerous calls, missing documentation, long functions.',
    args: z.strictObject({ files: z.array(WorkspacePath).min(1).max(50) }),
    result: z.object({
      findings: z.array(Finding),
      metrics: z.array(z.object({ file: z.string(), lines: z.int(), functions: z.int(), longestFunction: z.int() })),
    }),
  },
  ask_agent: {
    description: 'Ask one other agent, by name or by the skills that it takes, and wait for its answer.',
    args: z.strictObject({ ...peer, question: z.string().min(1).max(8000), input: Json.optional() }),
    result: Delegated,
  },
  delegate: {
    description:
      'Give tasks to other agents and wait until all have ended. Each names an agent or the skills that it takes; tasks that do not depend on each other run side by side. Review what comes back: tasks that failed may be given again, to others or with better instructions.',
    args: z.strictObject({
      tasks: z
        .array(
          z.strictObject({
            id: TaskId,
            title: z.string().min(1).max(200).optional(),
            ...peer,
            ...work,
            dependsOn: z.array(TaskId).default([]),
          }),
        )
        .min(1)
        .max(20),
    }),
    result: Delegated,
  },
  hand_off: {
    description:
      'Hand your task over to another agent, by name or by the skills that it takes: its result becomes yours. Say what is left to do and what is known. You are answered only if it fails.',
    args: z.strictObject({ ...peer, ...work }),
    result: Delegated,
  },
  context_put: {
    description:
      'Keep a text in the context store, for later runs and other agents, as the next version of the artifact with that name. With "expects" it is kept only if that is the newest version (0: only if there is none).',
    args: ContextSettings.extend({
      name: ContextName,
      text: z.string().max(1_000_000),
      /** Default: by the extension of the name, else Markdown. */
      mediaType: BlobRef.shape.mediaType.optional(),
    }),
    result: z.object({ name: ContextName, version: z.int(), sha256: z.string() }),
  },
  context_get: {
    description:
      'Read an artifact of the context store: its newest version, or another one that is kept. Of a long one ask on from "next".',
    args: z.strictObject({
      name: ContextName,
      version: z.int().min(1).optional(),
      /** In bytes. */
      offset: z.int().min(0).default(0),
      maxBytes: z.int().min(4).max(40_000).default(20_000),
    }),
    result: ContextFound.extend({
      sha256: z.string(),
      /** All that are kept. */
      versions: z.array(z.int()),
      text: z.string(),
      /** The offset to go on from; left out: this is the end. */
      next: z.int().optional(),
    }),
  },
  context_list: {
    description: 'List what you may read of the context store, by name: all, those whose names begin alike, or those with a tag.',
    args: z.strictObject({
      prefix: z.string().max(200).default(''),
      tag: ContextTag.optional(),
      /** Those after this name. */
      after: ContextName.optional(),
      limit: z.int().min(1).max(100).default(50),
    }),
    result: z.object({ artifacts: z.array(ContextFound), more: z.boolean() }),
  },
  context_delete: {
    description: 'Delete an artifact of the context store with all its versions. With "expects" only if that is its newest version.',
    args: z.strictObject({ name: ContextName, expects: z.int().min(1).optional() }),
    result: z.object({ name: ContextName, version: z.int() }),
  },
  recall_memory: {
    description:
      'Read what an agent remembers of its earlier tasks: your own memory, or that of another agent which shares it with you. The newest messages that fit; older ones in short, as its summary.',
    args: z.strictObject({ agent: AgentName }),
    result: z.object({
      agent: AgentName,
      summary: z.string().optional(),
      messages: z.array(MemoryMessage.pick({ role: true, text: true, taskId: true, at: true })),
      /** Messages that are neither here nor in the summary. */
      leftOut: z.int(),
    }),
  },
  send_message: {
    description:
      'Send a message into a channel. `type` says what it is about; `to` names who gets it where the channel is direct or multicast. To answer a message give its id as `correlationId`, and its sender in `to` where the channel is direct or multicast.',
    args: AgentMessage,
    result: MessageAccepted,
  },
  read_messages: {
    description:
      'Read the messages of a channel that are for you. A durable channel gives those after a position (0: the oldest kept); another one what has come in since you began and was not read yet. `where` is a CEL expression over `message`; `types` are patterns, needed for topic channels. With `waitMs` it waits for the first one.',
    args: z.strictObject({
      channel: ChannelName,
      after: z.int().min(0).default(0),
      types: z.array(TypePattern).min(1).max(20).optional(),
      where: Expression.optional(),
      limit: z.int().min(1).max(100).default(20),
      waitMs: z.int().min(0).max(MAX_MESSAGE_WAIT_MS).default(0),
    }),
    result: z.object({
      messages: z.array(Message),
      /** Of a durable channel: where to go on. */
      next: z.int().optional(),
      more: z.boolean(),
      /** Of another one: so many were not kept, because too much came in. */
      missed: z.int().optional(),
    }),
  },
  request_reply: {
    description: 'Send a message into a channel and wait for the first reply to it.',
    args: AgentMessage.omit({ correlationId: true }).extend({
      timeoutMs: z.int().min(1).max(MAX_MESSAGE_WAIT_MS).default(10_000),
    }),
    result: z.object({ reply: Message }),
  },
} as const;
export type ToolName = keyof typeof TOOLS;
export const TOOL_NAMES = Object.keys(TOOLS) as ToolName[];
export type ToolArgs<N extends ToolName> = z.infer<(typeof TOOLS)[N]['args']>;
export type ToolResult<N extends ToolName> = z.infer<(typeof TOOLS)[N]['result']>;

/**
 * What an agent's last message must be: one JSON object. `answer` is Markdown.
 * The planning agent's `answer` is left out and `plan` is given instead.
 */
export const AgentReply = z.object({
  answer: z.string().min(1),
  confidence: z.number().min(0).max(1),
  /** What the task asked for and this answer has not, in short phrases. */
  missing: z.array(z.string()).optional(),
});
export type AgentReply = z.infer<typeof AgentReply>;
