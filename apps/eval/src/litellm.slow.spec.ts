/** The real LiteLLM before a strict stand-in of OpenAI's chat completions. Where it cannot be had, these tests are skipped. */
import { jest } from '@jest/globals';
import { findLiteLlm, LiteLlm } from './testing/matrix/litellm.js';
import { runOn } from './testing/matrix/matrix-bench.js';
import { MatrixServer, type Mood } from './testing/matrix/matrix-server.js';
import type { ServerProfile } from './testing/matrix/profile.js';
import { OPENAI_CHAT } from './testing/matrix/servers/openai-chat.js';
import { ANALYSIS, DEMO, expectDemo, expectGreen } from './testing/matrix/tried.js';

jest.setTimeout(300_000);

const program = await findLiteLlm();
if ('missing' in program) console.warn(`Tests with a real LiteLLM are skipped: ${program.missing}`);
const onLiteLlm = 'missing' in program ? describe.skip : describe;

const WAIT_MS = 4000;
/** As the operator has it: a name of the proxy, and its price. */
const BEHIND: ServerProfile = { ...OPENAI_CHAT, name: 'LiteLLM', base: '', model: 'team-model', isPricedByOperator: true };

onLiteLlm('LiteLLM', () => {
  const open: { stop(): Promise<void> }[] = [];
  afterAll(async () => {
    for (const each of open.reverse()) await each.stop();
  });

  async function proxied(mood: Mood): Promise<{ server: MatrixServer; proxy: LiteLlm }> {
    if ('missing' in program) throw new Error(program.missing);
    const server = await MatrixServer.start(OPENAI_CHAT, mood);
    open.push(server);
    const proxy = await LiteLlm.start(program.python, BEHIND.model, { url: server.url, model: OPENAI_CHAT.model });
    open.push(proxy);
    return { server, proxy };
  }

  test("the demo's goal runs to its end, at the cost that the server behind it takes", async () => {
    const { server, proxy } = await proxied({});
    expectDemo({ server, ran: await runOn({ profile: BEHIND, url: proxy.url, key: proxy.key }, DEMO) });
  });

  test('a limit of the server behind it passes through, costs no attempt and nothing', async () => {
    const { server, proxy } = await proxied({ limited: { from: 3, ms: WAIT_MS } });
    const ran = await runOn({ profile: BEHIND, url: proxy.url, key: proxy.key }, ANALYSIS);
    expectGreen(ran, server.billedMicros);
    expect(server.refusals.length).toBeGreaterThan(0);
    expect(server.refusals.every(({ status }) => status === 429)).toBe(true);
  });
});
