/** The deterministic model: what it answers to a chat request, as a pure function of the request. */
import type { AgentReply } from '@cadre/contracts';
import { parseJson, readConversation, type Brief, type Conversation } from './conversation.js';
import { codeReviewer } from './roles/code-reviewer.js';
import { codeWriter } from './roles/code-writer.js';
import { coordinator } from './roles/coordinator.js';
import { dataAnalyst } from './roles/data-analyst.js';
import { diarist, historian, summaryOf } from './roles/diarist.js';
import { documentationWriter } from './roles/documentation-writer.js';
import { generalist } from './roles/generalist.js';
import { plainAnswer } from './roles/plain-answer.js';
import { planner } from './roles/planner.js';
import { synthesizer } from './roles/synthesizer.js';
import { testWriter } from './roles/test-writer.js';
import { fittedAnswer } from './results/fitted-answer.js';
import { replay, ToolDesk, type Call, type Script } from './script/script.js';
import { severalTasks } from './several-tasks.js';
import { withThoughts } from './thoughts.js';
import type { ChatRequest } from './wire/request.js';

export interface Reply {
  text: string;
  toolCalls: { id: string; name: string; arguments: string }[];
}

/** Turns a task into the agent's last message (a value that becomes JSON). */
export type Role = (brief: Brief, desk: ToolDesk, memory?: Conversation['memory']) => Script<object>;

/** By agent name; an agent of another name is known by the first of these tools that it was granted. */
const ROLES: readonly { agent: string; tool?: string; role: Role }[] = [
  { agent: 'coordinator', tool: 'delegate', role: coordinator },
  { agent: 'data-analyst', tool: 'profile_data', role: dataAnalyst },
  { agent: 'test-writer', tool: 'run_tests', role: testWriter },
  { agent: 'code-reviewer', tool: 'static_checks', role: codeReviewer },
  { agent: 'documentation-writer', tool: 'describe_api', role: documentationWriter },
  { agent: 'code-writer', tool: 'check_types', role: codeWriter },
  { agent: 'diarist', role: diarist },
  { agent: 'historian', tool: 'recall_memory', role: historian },
];

/** Tokens that a call costs beside its arguments. */
const CALL_TOKENS = 24;

/**
 * @param countTokens of a text; decides how many tool calls fit into the reply. Calls that do not fit are asked for in a later reply.
 */
export function respond(request: ChatRequest, countTokens: (text: string) => number): Reply {
  const several = severalTasks(request);
  if (several) {
    const answers = several.map(({ number, request: single }) => {
      return { task: number, ...(parseJson(respondToOne(single, countTokens).text) as object | undefined) };
    });
    return { text: JSON.stringify({ answers }), toolCalls: [] };
  }
  return respondToOne(request, countTokens);
}

function respondToOne(request: ChatRequest, countTokens: (text: string) => number): Reply {
  const conversation = readConversation(request);
  const { memory, summarise } = conversation;
  const brief = conversation.brief && aboutItem(conversation.brief);
  if (brief === undefined && summarise !== undefined) return { text: summaryOf(summarise), toolCalls: [] };
  if (brief === undefined) return { text: plainAnswer(conversation.lastUserText, request.response_format), toolCalls: [] };
  if (conversation.repairs.length > 1) return { text: JSON.stringify(plainForm(brief)), toolCalls: [] };
  const role = roleFor(brief, conversation);
  const room = outputTokens(request);
  const size = (args: object): number => countTokens(JSON.stringify(args)) + CALL_TOKENS;
  const desk = new ToolDesk(conversation.granted, (args) => size(args) <= room);
  const progress = replay(role(brief, desk, memory), conversation.turns);
  if (progress.done) {
    const { resultSchema } = brief.task;
    const reply =
      resultSchema === undefined ? progress.value : fittedAnswer(progress.value as AgentReply, resultSchema, brief, conversation);
    return { text: JSON.stringify(withThoughts(reply, request, conversation, brief)), toolCalls: [] };
  }
  let left = room;
  const fitting = progress.calls.filter((call, index) => {
    left -= size(call.args);
    return index === 0 || left >= 0;
  });
  return { text: '', toolCalls: numbered(fitting, request) };
}

/** One item of a list may be a file: then the task is about that one alone. */
function aboutItem(brief: Brief): Brief {
  const item = /\n\nYour item: (.+)$/.exec(brief.task.instructions)?.[1];
  const inputs = brief.inputs.filter(({ name }) => name === item);
  return inputs.length === 0 ? brief : { ...brief, inputs };
}

/** The most tokens that the reply may have. */
export function outputTokens(request: ChatRequest): number {
  return request.max_completion_tokens ?? request.max_tokens ?? 16_384;
}

function roleFor(brief: Brief, conversation: Conversation): Role {
  if (brief.kind === 'plan') return planner;
  if (brief.kind === 'answer' || brief.agent === 'synthesizer') return synthesizer;
  if (brief.agent === 'generalist') return generalist;
  const known =
    ROLES.find(({ agent }) => agent === brief.agent) ?? ROLES.find(({ tool }) => tool !== undefined && conversation.granted.has(tool));
  return known?.role ?? generalist;
}

/** Call ids count on from the calls that the conversation holds, so that they are unique in it. */
function numbered(calls: readonly Call[], request: ChatRequest): Reply['toolCalls'] {
  const before = request.messages.reduce((sum, message) => sum + (message.tool_calls?.length ?? 0), 0);
  return calls.map((call, index) => ({ id: `call_${before + index + 1}`, name: call.name, arguments: JSON.stringify(call.args) }));
}

/** After a second repair: the least that fits the form asked for. */
function plainForm({ kind, goal, task }: Brief): object {
  if (kind === 'plan') {
    const instructions = `Do what this goal asks, as far as it can be done: ${goal}`.slice(0, 8000);
    return { plan: { tasks: [{ id: 'work', title: 'Work on the goal', instructions }] } };
  }
  return { answer: `The reply to "${task.title}" could not be given in the form that was asked for.`, confidence: 0.1 };
}
