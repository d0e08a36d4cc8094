/**
 * Plans for the goals of the documents, given by a scripted model on a real llama-server: the server's grammar, made of the planner's form,
 * lets each of them through, and what is read of it is the plan with every part of the goal. Where the server's package cannot be had,
 * these tests are skipped.
 */
import { readFinal, responseSchemaFor } from '@cadre/agents';
import { mediaTypeOf } from '@cadre/contracts';
import { RemoteModel } from '@cadre/models';
import { respond } from '../../../model-sim/src/respond.js';
import { SEED_GOALS } from '../../../model-sim/src/testing/seed-goals.js';
import { ChatRequest } from '../../../model-sim/src/wire/request.js';
import { findLlamaServer } from './llama-package.js';
import { LlamaServer } from './llama-server.js';

const program = await findLlamaServer();
if ('missing' in program) console.warn(`Tests with a real llama-server are skipped: ${program.missing}`);
const onLlama = 'missing' in program ? describe.skip : describe;

const skills = [
  'data-analysis',
  'visualization',
  'code-generation',
  'testing',
  'documentation',
  'code-review',
  'planning',
  'synthesis',
  'general',
];
const catalogue = [{ name: 'generalist', description: 'Does all.', skills }];

const briefs = SEED_GOALS.map(({ goal, files = [] }) => ({
  ...{ kind: 'plan', goal, inputs: files.map((name) => ({ name, size: 1, mediaType: mediaTypeOf(name) })) },
  catalogue,
}));
type Brief = (typeof briefs)[number];

/** What the deterministic model plans; its parts are held to the goal in a spec of its own. */
function planOf(brief: Brief): string {
  const request = ChatRequest.parse({ model: 'cadre-sim-1', messages: [{ role: 'user', content: JSON.stringify(brief) }] });
  return respond(request, (text) => text.length / 4).text;
}

/** The grammar of llama.cpp takes fields in the order of the schema alone. */
function inOrder(value: unknown, schema: unknown): unknown {
  const { properties, items } = (schema ?? {}) as { properties?: Record<string, unknown>; items?: unknown };
  if (Array.isArray(value)) return value.map((each) => inOrder(each, items));
  if (typeof value !== 'object' || value === null || properties === undefined) return value;
  const fields = Object.keys(properties).filter((name) => name in value);
  return Object.fromEntries(fields.map((name) => [name, inOrder(value[name as keyof typeof value], properties[name])]));
}

const responseSchema = responseSchemaFor('plan');
const read = (text: string) => {
  const reading = readFinal(text, { kind: 'plan', form: 'json', catalogue });
  if (!reading.ok) throw new Error(`${reading.why} ${text}`);
  return reading.reply.plan?.plan;
};

onLlama('on llama-server', () => {
  let server: LlamaServer;
  let model: RemoteModel;
  beforeAll(async () => {
    if ('missing' in program) return;
    const turns = briefs.map((brief) => ({
      when: { says: JSON.stringify({ goal: brief.goal, inputs: brief.inputs }).slice(1, -1) },
      say: [JSON.stringify(inOrder(JSON.parse(planOf(brief)), responseSchema.schema))],
    }));
    server = await LlamaServer.start(program, { turns }, { window: 8192 });
    model = new RemoteModel({ baseUrl: server.baseUrl, defaultModel: 'scripted' });
  });
  afterAll(() => server?.stop());

  test.each(briefs.map((brief) => [brief.goal, brief] as const))('%j', async (_, brief) => {
    const messages = [{ role: 'user' as const, text: JSON.stringify(brief) }];
    const asked = { temperature: 0, maxOutputTokens: 2000, tools: [], messages, responseSchema };
    const { text } = await model.complete(asked, AbortSignal.timeout(60_000));
    expect(read(text)).toEqual(read(planOf(brief)));
  });
});
