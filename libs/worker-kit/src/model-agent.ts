/** The work of an agent that is a definition: the agent loop in a workspace of its own. */
import { delegatingTools, readText, runAttempt } from '@cadre/agents';
import type { ModelPort, Performer, Tool, Work } from '@cadre/agents';
import type { AgentMemories, Blobs, Chance, Clock, SharedContext } from '@cadre/engine';
import type { McpTools } from '@cadre/mcp';
import type { MessageDesk } from '@cadre/messaging';
import type { Tracing } from '@cadre/service-kit';
import { AttemptMessages, mayMessage } from './attempt-messages.js';
import { AttemptContext } from './context/attempt-context.js';
import { contextTools } from './context/context-tools.js';
import { genericTools } from './generic-tools.js';
import { recallTool } from './memory/recall-tool.js';
import { fileRecord, keepIn, openWorkspace } from './open-workspace.js';
import { TokenStream } from './token-stream.js';
import type { TokenPublisher } from './token-stream.js';
import type { ToolFactory } from './worker-options.js';

export interface ModelAgentMeans {
  model: ModelPort;
  tools: ToolFactory;
  blobs: Blobs;
  shared: SharedContext;
  memories: AgentMemories;
  clock: Clock;
  chance: Chance;
  tracing: Tracing;
  desk: MessageDesk;
  /** Takes what models write while they write it. */
  publishTokens: TokenPublisher;
  /** Tools of MCP servers. */
  mcp?: McpTools;
  /** Folder for the attempts' private folders. */
  workDir: string;
}

export function modelAgent(means: ModelAgentMeans): Performer {
  return async (work) => {
    const { blobs, shared, memories, clock, chance, tracing, workDir } = means;
    const workspace = await openWorkspace(work, workDir, blobs);
    const context = new AttemptContext(shared, work);
    const messages = mayMessage(work) ? (await AttemptMessages.open(means.desk, work)).tools() : [];
    const own = [...genericTools(workspace), ...contextTools(context), ...messages, ...delegatingTools(work.calls)];
    // A name that the worker itself has goes before the same from elsewhere.
    const elsewhere = means.mcp?.tools(work.assignment.tools, keepIn(workspace)) ?? [];
    const tools = [...elsewhere, ...own, recallTool(memories, work), ...means.tools(workspace, work)];
    const performance = await runAttempt(work, {
      model: tracedModel(streamedModel(means, work), tracing, work),
      tools: tools.map((tool) => tracedTool(tool, tracing, work)),
      files: fileRecord(workspace, blobs),
      ...{ clock, chance, memories },
      readContent: (content) => readText(content, blobs),
      readArtifact: async (artifact) => new TextDecoder().decode(await blobs.get(artifact)),
    });
    const used = context.record();
    return { ...performance, ...(used && { context: used }), artifacts: await workspace.collectArtifacts(blobs) };
  };
}

function streamedModel({ model, clock, publishTokens }: ModelAgentMeans, { assignment }: Work): ModelPort {
  const { tenant, runId, taskId, attempt } = assignment;
  return {
    quote: (request) => model.quote(request),
    complete: async (request, signal) => {
      if (request.callKey === undefined) return model.complete(request, signal);
      const stream = new TokenStream({ tenant, runId, taskId, attempt, call: request.callKey }, clock, publishTokens);
      try {
        return await model.complete({ ...request, onDelta: (delta) => stream.hear(delta) }, signal);
      } finally {
        stream.flush();
      }
    },
  };
}

function tracedModel(model: ModelPort, tracing: Tracing, work: Work): ModelPort {
  return {
    quote: (request) => model.quote(request),
    complete: (request, signal) => {
      const attributes = { 'gen_ai.operation.name': 'chat', ...(request.model !== undefined && { 'gen_ai.request.model': request.model }) };
      return tracing.span('model call', work.traceparent, attributes, () => model.complete(request, signal));
    },
  };
}

function tracedTool(tool: Tool, tracing: Tracing, work: Work): Tool {
  const attributes = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': tool.name };
  return {
    ...tool,
    run: (args, context) => tracing.span(`tool ${tool.name}`, work.traceparent, attributes, () => tool.run(args, context)),
  };
}
