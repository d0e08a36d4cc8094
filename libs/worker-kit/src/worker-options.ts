/** What an app says to `startWorker`. */
import type { Tool } from '@cadre/agents';
import type { AgentDefinition, AgentTemplate, Assignment } from '@cadre/contracts';
import type { z } from 'zod';
import type { BatchPerformer } from './batch-agent.js';
import type { CodePerformer } from './code-agent.js';
import type { Reducer } from './reducer.js';
import type { Workspace } from './workspace.js';

/** What a tool may know of the attempt it serves. One per attempt. */
export interface ToolEnvironment {
  assignment: Assignment;
  agent: AgentDefinition;
  /** Aborts when the attempt ends early: cancelled, out of time, handed back. */
  signal: AbortSignal;
  /** Runs when the attempt has ended, whatever its outcome, before the workspace is removed. Close databases here. */
  onClose(close: () => void | Promise<void>): void;
}

/**
 * The tools of a specialty for one attempt. Those of the generic list (list_files, read_file, write_file) and of the context store
 * (context_put, …) are there already.
 */
export type ToolFactory = (workspace: Workspace, environment: ToolEnvironment) => Tool[];

export interface WorkerOptions {
  /** Name of the service and of its kind of worker: `data-analyst`. */
  specialty: string;
  /** Defaults may be left out; parsed with the contract's schema. */
  agents: z.input<typeof AgentDefinition>[];
  /**
   * From which it makes agents that are defined at run time, without a restart: what they may be granted, and what they are unless they are
   * defined otherwise. See `templateOf` for one like an agent that is there.
   */
  templates?: z.input<typeof AgentTemplate>[];
  /** By the name of the agent, or of the template that it was made from: code that does the work. Agents without it work with a model. */
  performers?: Record<string, CodePerformer>;
  /** By agent name: code that does several tasks in one go. The agent's definition says how many (`batch`). */
  batchPerformers?: Record<string, BatchPerformer>;
  /** Ways to combine that are code, by name: each is an agent more, which plans and aggregations name. */
  reducers?: Record<string, Reducer>;
  tools?: ToolFactory;
  /** Attempts worked on at once. Default 2; `CADRE_SLOTS` overrides it. */
  slots?: number;
  /** Default `process.env`. */
  env?: NodeJS.ProcessEnv;
  /** False in tests that run the worker within their own process. */
  ownsProcess?: boolean;
}
