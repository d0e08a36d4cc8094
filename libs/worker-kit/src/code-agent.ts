/** The work of an agent that is code. Nothing is made for it but what it asks for: an attempt of code may take less than a millisecond. */
import type { Performance, Performer, Work } from '@cadre/agents';
import type { Blobs, SharedContext } from '@cadre/engine';
import type { McpTools } from '@cadre/mcp';
import type { MessageDesk } from '@cadre/messaging';
import { AttemptMessages } from './attempt-messages.js';
import { codeMessages, type CodeMessages } from './code-messages.js';
import { AttemptContext } from './context/attempt-context.js';
import { contextCalls } from './context/context-calls.js';
import type { ContextCalls } from './context/context-calls.js';
import { openWorkspace } from './open-workspace.js';
import { toolCaller, type CallTool } from './tool-caller.js';
import type { Workspace } from './workspace.js';

export interface CodeWork extends Work {
  /**
   * A private folder with the run's inputs and the artifacts of earlier tasks, made when it is first asked for. Files written there become
   * artifacts.
   */
  workspace(): Promise<Workspace>;
  /** The artifacts that outlive the run, as far as the agent was granted the tools and a person the access. */
  context(): ContextCalls;
  blobs: Blobs;
  /**
   * Calls a tool of an MCP server that the agent was granted; recorded like what goes through `calls`. `{error}` is what the server says
   * went wrong. Errors: `tool-not-granted`, and those of the call.
   */
  callTool: CallTool;
  /** Channels, as far as the agent was granted the tools for them. */
  messages: CodeMessages;
}

/** A `CadreError` that it rejects with becomes the attempt's failure. */
export type CodePerformer = (work: CodeWork) => Promise<Performance>;

export interface CodeAgentMeans {
  blobs: Blobs;
  /** Folder for the attempts' private folders. */
  workDir: string;
  shared: SharedContext;
  desk: MessageDesk;
  mcp?: McpTools;
}

export function codeAgent(perform: CodePerformer, { blobs, workDir, shared, desk, mcp }: CodeAgentMeans): Performer {
  return async (work) => {
    let opened: Promise<Workspace> | undefined;
    let used: AttemptContext | undefined;
    const workspace = () => (opened ??= openWorkspace(work, workDir, blobs));
    const context = () => contextCalls((used ??= new AttemptContext(shared, work)), work.calls);
    let opening: Promise<AttemptMessages> | undefined;
    const messages = codeMessages(work, () => (opening ??= AttemptMessages.open(desk, work)));
    const callTool = toolCaller(work, workspace, mcp);
    const performance = await perform(Object.assign(work, { workspace, context, messages, blobs, callTool }));
    const record = used?.record();
    const told = record === undefined ? performance : { ...performance, context: record };
    if (opened === undefined || performance.artifacts !== undefined) return told;
    return { ...told, artifacts: await (await opened).collectArtifacts(blobs) };
  };
}
