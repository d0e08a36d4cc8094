/** Examples of the document; a test holds them to the schemas. */
import {
  type AgentRemoved,
  type AgentView,
  type AggregationRequest,
  type AnswerAccepted,
  type AnswerRequest,
  type ArtifactList,
  type CallList,
  type CancelAccepted,
  type Channel,
  type ChannelList,
  type DefinedAgent,
  type EventAccepted,
  type EventList,
  type EventRequest,
  KeptChannel,
  type Message,
  type MessageAccepted,
  type MessagePage,
  type QuestionList,
  type QuestionView,
  type ReplyRequest,
  PlanView,
  type RunAccepted,
  type RunPage,
  type RunRequest,
  type RunView,
  type SendRequest,
  type TenantBudgetView,
  type ThinkingTrace,
  type WorkerList,
  type Workflow,
  type WorkflowList,
  type WorkflowRunRequest,
  WorkflowVersion,
} from '@cadre/contracts';
import type { z } from 'zod';
import { artifactPath, runLinks } from '../runs/run-links.js';
import { CONTEXT_EXAMPLES } from './context-examples.js';

const runId = 'r00-01936c5e-7d1c-7e3a-9d55-0b6f4c1d2e3f';
const createdAt = Date.UTC(2026, 10, 20, 12);
const usage = { modelCalls: 9, toolCalls: 14, inputTokens: 18_200, outputTokens: 4100, costMicros: 0 };
const sha256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const weather = { name: 'weather.csv', sha256, size: 48_219, mediaType: 'text/csv' };
const report = { name: 'report.md', sha256, size: 5120, mediaType: 'text/markdown' };

const request: z.input<typeof RunRequest> = {
  goal: 'Analyze the weather data, generate report code, write tests, and document the API',
  options: {
    priority: 'high',
    deadlineMs: 600_000,
    budget: { runMicros: 2_000_000, onLimit: 'ask' },
    labels: { team: 'climate' },
  },
};
const requestWithPlan: z.input<typeof RunRequest> = {
  goal: 'Profile the data and review the report',
  plan: {
    tasks: [
      { id: 'analyse', title: 'Analyse', instructions: 'Profile the data and find trends.', skills: ['data-analysis'] },
      { id: 'review', title: 'Review', instructions: 'Check the figures of the report.', dependsOn: ['analyse'], skills: ['code-review'] },
    ],
  },
};
const requestForPlan: z.input<typeof RunRequest> = { goal: 'Analyze the weather data', options: { planOnly: true } };
const plan = PlanView.parse({
  runId,
  source: 'template',
  note: 'Planning failed: no model answers The analysis template is used instead.',
  tasks: [
    {
      ...{ id: 'analyse', title: 'Analyse the data', instructions: 'Profile the data and find trends.', skills: ['data-analysis'] },
      ...{ priority: 'high', estimatedMs: 10_000 },
    },
    {
      id: 'report',
      title: 'Write the report',
      instructions: 'Write report.md.',
      skills: ['general'],
      dependsOn: ['analyse'],
      estimatedMs: 8000,
    },
  ],
});
const aggregation: z.input<typeof AggregationRequest> = {
  runs: [runId, 'r00-01936c5e-9a40-7b1f-8c22-5d0e7a9b1c44'],
  combine: { by: 'vote', weighted: true, quorum: 0.5 },
  gate: { minConfidence: 0.6 },
  partial: true,
};
const accepted: RunAccepted = { runId, status: 'planning', inputs: [weather], links: runLinks(runId) };
const summary = {
  runId,
  tenant: 'default',
  goal: request.goal,
  status: 'completed' as const,
  createdAt,
  endedAt: createdAt + 21_000,
  tasksDone: 7,
  tasksTotal: 7,
  usage,
};
const page: RunPage = { runs: [summary], nextCursor: 'MTc2MzYzOTIwMDAwMA' };
const run: RunView = {
  ...summary,
  options: {
    priority: 'high',
    continueOnFailure: false,
    deadlineMs: 600_000,
    summarize: true,
    budget: { runMicros: 2_000_000, agentMicros: {}, onLimit: 'ask', unpricedModels: 'if-uncapped' },
    cancelGraceMs: 5000,
    labels: { team: 'climate' },
  },
  inputs: [weather],
  planSource: 'model',
  deadlineAt: createdAt + 600_000,
  seq: 31,
  tasks: [
    {
      taskId: 'analyse',
      title: 'Analyse the weather data',
      status: 'completed',
      priority: 'high',
      skills: ['data-analysis'],
      dependsOn: [],
      require: 'all',
      attempt: 1,
      agent: 'data-analyst',
      workerId: 'data-analyst-1',
      startedAt: createdAt + 900,
      endedAt: createdAt + 6200,
      confidence: 0.9,
      answer: { text: 'Temperatures rise by 0.2 °C a year.' },
      artifacts: [report],
      usage,
    },
  ],
  answer: { text: '# Weather\n\nTemperatures rise by 0.2 °C a year.' },
  partial: false,
  artifacts: [report],
  reservedMicros: 0,
  questions: [],
};
const key = '5f2b6a0e9c1d4783a6b0c9d8e7f60512';
const thinking: ThinkingTrace = {
  style: 'critical',
  rounds: [
    {
      confidence: 0.9,
      steps: ['The file has 3,650 days.', 'The trend must not rest on the last summer alone.'],
      alternatives: [{ option: 'Compare the first year with the last', whyNot: 'Two years show weather, no trend' }],
    },
  ],
  reasoning: [],
  thinkingTokens: 74,
};
const calls: CallList = {
  calls: [
    {
      taskId: 'analyse',
      attempt: 1,
      key,
      try: 1,
      kind: 'tool',
      name: 'profile_data',
      effect: 'none',
      outcome: 'done',
      ok: true,
      note: 'inputs/weather.csv',
      at: createdAt + 1200,
      durationMs: 84,
      inputTokens: 0,
      outputTokens: 0,
      costMicros: 0,
      maxCostMicros: 0,
    },
  ],
  more: false,
};
const question: QuestionView = {
  runId,
  questionId: 'q1',
  taskId: 'analyse',
  taskTitle: 'Analyse the weather data',
  kind: 'budget',
  text: 'The next call of model gpt-5 may cost $0.0420, and $0.0115 of the $2.00 for this run are left. Raise the cap?',
  choices: ['approve', 'deny'],
  limit: 'run',
  neededMicros: 30_500,
  askedAt: createdAt + 5200,
  dueAt: createdAt + 600_000,
};
const questions: QuestionList = { questions: [question] };
const approval: z.input<typeof AnswerRequest> = { choice: 'approve', raiseMicros: 500_000, by: 'ada', note: 'worth it' };
const effectDone: z.input<typeof AnswerRequest> = { choice: 'done', result: { orderId: 4711 }, by: 'ada' };
const answered: AnswerAccepted = { runId, questionId: 'q1', links: runLinks(runId) };
const eventRequest: z.input<typeof EventRequest> = { type: 'order.paid', source: '/shop', id: 'order-4711', data: { amount: 120 } };
const eventAccepted: EventAccepted = { id: 'order-4711', source: '/shop', type: 'order.paid' };
const workflow: z.input<typeof Workflow> = {
  apiVersion: 'cadre/v1',
  kind: 'Workflow',
  metadata: { name: 'count-words', description: 'Counts the words of texts' },
  spec: {
    goal: 'Count the words',
    params: { texts: { description: 'A list of texts' } },
    tasks: [
      {
        id: 'map',
        title: 'Count the words of each text',
        instructions: 'Count them.',
        scope: {
          over: 'params.texts',
          body: [{ id: 'count', title: 'Count', instructions: 'How many words has this text? ${{ item }}', templated: true }],
        },
      },
    ],
  },
};
const workflowVersion = WorkflowVersion.parse({ name: 'count-words', version: 3, createdAt, workflow });
const workflows: WorkflowList = { workflows: [{ name: 'count-words', version: 3, createdAt, description: 'Counts the words of texts' }] };
const workflowRun: z.input<typeof WorkflowRunRequest> = { params: { texts: ['a b', 'c'] } };
const channel: z.input<typeof Channel> = {
  name: 'discoveries',
  description: 'What researchers find',
  kind: 'broadcast',
  durable: true,
  members: [
    { name: 'researcher', rights: ['send'] },
    { name: '*', rights: ['receive'] },
  ],
  schema: { type: 'object', properties: { impact: { enum: ['low', 'high'] } }, required: ['impact'] },
};
const keptChannel = KeptChannel.parse({ tenant: 'default', generation: '5f2b6a0e9c1d', createdAt, changedAt: createdAt, channel });
const channels: ChannelList = { channels: [keptChannel] };
const sendRequest: z.input<typeof SendRequest> = {
  type: 'discovery',
  from: 'researcher',
  data: { finding: 'New market opportunity identified', confidence: 0.9, impact: 'high' },
};
const message: Message = {
  id: 'm-4711',
  channel: 'discoveries',
  from: 'researcher',
  type: 'discovery',
  at: createdAt,
  data: { finding: 'New market opportunity identified', confidence: 0.9, impact: 'high' },
};
const messageAccepted: MessageAccepted = { id: 'm-4711', position: 12, repeated: false };
const messagePage: MessagePage = { messages: [{ position: 12, message }], next: 12, more: false };
const messageStream = `id: 12\nevent: message\ndata: ${JSON.stringify(message)}\n\n`;
const replyRequest: z.input<typeof ReplyRequest> = {
  type: 'question',
  from: 'ada',
  to: ['analyst'],
  data: 'What does it cost?',
  timeoutMs: 5000,
};
const cancelled: CancelAccepted = { runId, status: 'cancelling', links: runLinks(runId) };
const artifacts: ArtifactList = { artifacts: [{ ...report, href: artifactPath(runId, report.name) }] };
const tenantBudget: TenantBudgetView = { tenant: 'default', capMicros: 50_000_000, settledMicros: 12_340_000, reservedMicros: 42_000 };
const agentRequest: DefinedAgent = {
  instructions: 'You read contracts, and name each duty and each date with the clause that it stands in.',
  tools: ['list_files', 'read_file'],
  temperature: 0.2,
  limits: { maxSteps: 12 },
  ...{ template: 'assistant', description: 'Finds duties and dates in contracts.', skills: ['contracts'] },
};
const definedAgent: AgentView = {
  ...{ name: 'contract-reader', version: 2, changedAt: createdAt },
  definition: agentRequest,
  workers: ['generalist-1'],
};
const agentRemoved: AgentRemoved = {
  ...{ name: 'contract-reader', version: 2, handTo: 'generalist' },
  note: 'What it has begun is handed back; tasks that ask for its skills go to whoever has them. Tasks that ask for contract-reader by name go to generalist.',
};
const workers: WorkerList = {
  workers: [
    {
      workerId: 'data-analyst-1',
      epoch: 'k3v9',
      at: createdAt,
      startedAt: createdAt - 60_000,
      specialty: 'data-analyst',
      state: 'running',
      agents: [
        { name: 'data-analyst', description: 'Finds what is in data', skills: ['data-analysis', 'visualization'], model: 'cadre-sim-1' },
      ],
      slots: 4,
      held: 1,
      lastSeenAt: createdAt + 120,
      lost: false,
    },
  ],
  templates: [
    { name: 'assistant', description: 'Texts and files', tools: ['list_files', 'read_file', 'write_file'], workers: ['generalist-1'] },
  ],
  defined: [definedAgent],
};
const cancelEvent = {
  specversion: '1.0' as const,
  id: `${runId}/12.0`,
  source: '/cadre/default',
  type: 'cadre.CancelRequested',
  subject: runId,
  time: '2026-11-20T12:00:09.000Z',
  datacontenttype: 'application/json' as const,
  data: { type: 'CancelRequested' as const, reason: 'not needed any more', graceUntil: createdAt + 14_000 },
};
const events: EventList = { events: [cancelEvent], more: false, next: '12.0' };
const eventStream = `id: 12.0\nevent: cadre.CancelRequested\ndata: ${JSON.stringify(cancelEvent)}\n\n`;
const problem = {
  type: 'urn:cadre:problem:invalid-plan',
  title: 'The plan is not valid',
  status: 422,
  detail: 'The plan cannot be run: These tasks wait for each other: a → b → a.',
  code: 'invalid-plan',
  remedy: 'change the tasks named under errors',
  errors: [{ path: 'plan.tasks[0]', message: 'These tasks wait for each other: a → b → a.' }],
};

export const EXAMPLES = {
  ...CONTEXT_EXAMPLES,
  request,
  requestWithPlan,
  requestForPlan,
  plan,
  aggregation,
  accepted,
  page,
  run,
  calls,
  thinking,
  questions,
  approval,
  eventRequest,
  eventAccepted,
  workflow,
  workflowVersion,
  workflows,
  workflowRun,
  channel,
  keptChannel,
  channels,
  sendRequest,
  message,
  messageAccepted,
  messagePage,
  messageStream,
  replyRequest,
  effectDone,
  answered,
  cancelled,
  artifacts,
  tenantBudget,
  workers,
  agentRequest,
  definedAgent,
  agentRemoved,
  events,
  eventStream,
  problem,
  runId,
};
