/** For specs: the agents' own loop and the real tools, with the model server's core in place of a server. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { MadeCall, ModelPort, ModelRequest, Performance, Tool } from '@cadre/agents';
import { failureOf, runAttempt } from '@cadre/agents';
import { soloWork } from '@cadre/agents/testing';
import { goalParts } from '@cadre/engine';
import { AgentDefinition, mediaTypeOf } from '@cadre/contracts';
import type { ArtifactRef, Assignment, BlobRef, Failure, ResultSchema, TaskOutcome } from '@cadre/contracts';
import { genericTools, Workspace } from '@cadre/worker-kit';

import { dataTools } from '../../../worker-data-analyst/src/data-tools.js';
import { codeReviewer } from '../../../worker-code-reviewer/src/code-reviewer.js';
import { codeWriter } from '../../../worker-code-writer/src/code-writer.js';
import { dataAnalyst } from '../../../worker-data-analyst/src/data-analyst.js';
import { documentationWriter } from '../../../worker-documentation-writer/src/documentation-writer.js';
import { testWriter } from '../../../worker-test-writer/src/test-writer.js';
import { testTools } from '../../../worker-test-writer/src/test-tools.js';
import { rememberedTool } from './remembered-tools.js';
import { complete } from '../wire/completion.js';
import { ChatRequest } from '../wire/request.js';
import { NO_FAULTS } from '../wire/faults.js';
import { loadTokenCounter } from '../wire/tokens.js';

const GENERIC = ['list_files', 'read_file', 'write_file'];
const SPECIALISTS = [dataAnalyst, codeWriter, testWriter, documentationWriter, codeReviewer];
export const AGENTS: Record<string, { skills: string[]; tools: string[]; restsOn?: string[] | undefined }> = {
  ...Object.fromEntries(SPECIALISTS.map(({ name, skills = [], tools = [], restsOn }) => [name, { skills, tools, restsOn }])),
  generalist: { skills: ['planning', 'synthesis', 'general'], tools: GENERIC },
};

/** The core as the agents' model port, with the wire's limits and counts. */
export function simModel(): ModelPort {
  return {
    quote: ({ model = 'cadre-sim-1', maxOutputTokens }) => ({ model, maxInputTokens: 0, maxOutputTokens, maxCostMicros: 0, priced: true }),
    complete: async (request) => {
      const { reply, finish, usage, model } = complete(wireRequest(request), await loadTokenCounter(), NO_FAULTS);
      return {
        model,
        text: reply.text,
        toolCalls: reply.toolCalls,
        finish: finish === 'tool_calls' ? 'tool-calls' : finish,
        inputTokens: usage.prompt_tokens,
        outputTokens: usage.completion_tokens,
        costMicros: 0,
        priced: true,
      };
    },
  };
}

function wireRequest({ messages, tools, maxOutputTokens, responseSchema }: ModelRequest): ChatRequest {
  return ChatRequest.parse({
    model: 'cadre-sim-1',
    max_tokens: maxOutputTokens,
    messages: messages.map((message) => {
      if (message.role === 'tool') return { role: 'tool', tool_call_id: message.toolCallId, content: message.text };
      if (message.role !== 'assistant') return { role: message.role, content: message.text };
      const calls = message.toolCalls.map((call) => ({
        id: call.id,
        type: 'function',
        function: { name: call.name, arguments: call.arguments },
      }));
      return { role: 'assistant', content: message.text, ...(calls.length > 0 && { tool_calls: calls }) };
    }),
    ...(tools.length > 0 && { tools: tools.map((tool) => ({ type: 'function', function: tool })) }),
    ...(responseSchema && { response_format: { type: 'json_schema', json_schema: responseSchema } }),
  });
}

export type TeamOutcome = ({ kind: 'completed' } & Performance) | { kind: 'failed'; error: Failure };

export interface TeamTask {
  kind: 'plan' | 'work' | 'answer';
  id: string;
  title: string;
  instructions: string;
  agent: string;
  resultSchema?: ResultSchema;
}

/** One folder that all tasks of a run share, and what they reported. */
export class Team {
  readonly results: TaskOutcome[] = [];
  readonly calls: MadeCall[] = [];

  private constructor(
    readonly goal: string,
    readonly workspace: Workspace,
    private readonly inputs: { name: string; size: number; mediaType: string; sha256: string }[],
    private readonly remembers: boolean,
  ) {}

  /**
   * @param files absolute paths of the inputs
   * @param remembers whether tools answer what they have answered before
   */
  static async of(goal: string, files: string[], remembers = false): Promise<Team> {
    const workspace = await Workspace.create();
    const bodies = new Map<string, Uint8Array>();
    for (const file of files) bodies.set(basename(file), await readFile(file));
    const inputs = [...bodies].map(([name, { byteLength: size }]) => ({
      name,
      size,
      mediaType: mediaTypeOf(name),
      sha256: '0'.repeat(64),
    }));
    const blobs = {
      put: () => Promise.reject(new Error('not needed here')),
      get: (ref: BlobRef) => Promise.resolve(bodies.get((ref as ArtifactRef).name) ?? new Uint8Array()),
      has: () => Promise.resolve(true),
    };
    await workspace.materialise(inputs, [], blobs);
    return new Team(goal, workspace, inputs, remembers);
  }

  /** Lets the model work on a task, as a worker does. */
  async work(task: TeamTask, limits: { maxTokens?: number } = {}): Promise<TeamOutcome> {
    const known = AGENTS[task.agent] ?? { skills: ['general'], tools: GENERIC };
    const agent = AgentDefinition.parse({ name: task.agent, description: 'A.', instructions: 'Work.', ...known, limits });
    const catalogue = Object.entries(AGENTS).map(([name, { skills }]) => ({ name, description: name, skills }));
    const solo = soloWork({ assignment: this.assignment(task, agent), agent, catalogue, clock: Date });
    const outcome = await runAttempt(solo.work, {
      model: simModel(),
      tools: this.tools(agent, solo.work.signal),
      clock: { now: () => Date.now(), after: () => () => undefined, soon: () => undefined },
      chance: { random: () => 0.5 },
      readContent: async (content) => ('text' in content ? content.text : content.preview),
      readArtifact: ({ name }) => this.read(name),
    }).then(
      (performance): TeamOutcome => ({ kind: 'completed', ...performance }),
      (error: unknown): TeamOutcome => ({ kind: 'failed', error: failureOf(error, 'attempt-failed') }),
    );
    this.calls.push(...solo.made);
    if (outcome.kind === 'completed' && task.kind === 'work') await this.keep(task, outcome);
    return outcome;
  }

  private assignment({ id, kind, title, instructions, resultSchema }: TeamTask, agent: AgentDefinition): Assignment {
    return {
      runId: 'r00-00000000-0000-4000-8000-000000000000',
      tenant: 'default',
      taskId: id,
      attempt: 1,
      kind,
      goal: this.goal,
      ...{ title, instructions, ...(resultSchema && { resultSchema }) },
      inputs: this.inputs,
      results: this.results,
      ...(kind === 'answer' && { account: { parts: goalParts(this.goal).map((part) => part.text), undone: [] } }),
      round: 1,
      tools: agent.tools,
      deadlineAt: Date.now() + 120_000,
    };
  }

  private tools(agent: AgentDefinition, signal: AbortSignal): Tool[] {
    const environment = { assignment: {} as never, agent, signal, onClose: () => undefined };
    const real = [...dataTools()(this.workspace, environment), ...testTools()(this.workspace, environment)];
    const tools = this.remembers ? real.map((tool) => rememberedTool(tool, this.workspace)) : real;
    return [...genericTools(this.workspace), ...tools];
  }

  private async keep(task: TeamTask, outcome: Performance): Promise<void> {
    const files = (await this.workspace.list()).filter((file) => file.origin === 'own' && !file.path.startsWith('inputs/'));
    const earlier = new Set(this.results.flatMap((result) => result.artifacts).map((artifact) => artifact.name));
    this.results.push({
      taskId: task.id,
      title: task.title,
      agent: task.agent,
      status: 'completed',
      answer: { text: outcome.answer },
      ...(outcome.confidence !== undefined && { confidence: outcome.confidence }),
      ...(outcome.missing && { missing: outcome.missing }),
      artifacts: files
        .filter((file) => !earlier.has(file.path))
        .map(({ path, size }) => ({ name: path, size, mediaType: 'text/plain', sha256: '0'.repeat(64) })),
    });
  }

  read(path: string): Promise<string> {
    return readFile(join(this.workspace.root, path), 'utf8');
  }

  /** Runs a program of the workspace with Node; rejects if it fails. */
  run(...args: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      execFile(process.execPath, args, { cwd: this.workspace.root, env: {} }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`${stdout}${stderr}`));
      });
    });
  }

  close(): Promise<void> {
    return this.workspace.remove();
  }
}
