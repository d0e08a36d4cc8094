import { runProgram } from '../program.js';
import { recordedTerminal } from '../testing/recorded-terminal.js';

/** Where nobody answers. */
const run = async (args: string[], env: Record<string, string> = {}) => {
  const terminal = recordedTerminal({ cwd: '/', env: { CADRE_URL: 'http://127.0.0.1:1', ...env } });
  const code = await runProgram(['prices', ...args], terminal);
  return { code, out: terminal.stdout.join('\n'), err: terminal.stderr.join('\n') };
};

test('lists prices with their date and source, by part of a name', async () => {
  const { code, out } = await run(['list', '--model', 'gpt-5.4', '--model', 'mine'], { CADRE_PRICES: '{"mine":{"input":3,"output":4}}' });
  expect(code).toBe(0);
  expect(out).toMatch(/^MODEL +INPUT +CACHED +TO CACHE +OUTPUT +AS OF +FROM/);
  expect(out).toMatch(/mine +3 +4 +CADRE_PRICES/);
  expect(out).toMatch(/gpt-5\.4 +2\.5 +0\.25 +15 +2026-09-23 +published by openai/);
  expect(out).toMatch(/ {2}above 271,999 tokens +5 +0\.5 +22\.5/);
  expect(out).not.toContain('claude');
  const listed = JSON.parse((await run(['list', '-o', 'json'])).out) as { prices: { listedAs: string }[] };
  expect(listed.prices.map(({ listedAs }) => listedAs)).toEqual(expect.arrayContaining(['cadre-sim-1', 'gpt-4o', 'claude-sonnet-4-5']));
});

test('says whether the price of a model is known, and what to do when it is not', async () => {
  expect(await run(['check', '--model', 'gpt-4o'])).toMatchObject({ code: 0, out: expect.stringContaining('2026-09-23') });
  const missing = await run(['check', '--model', 'gpt-4o', '--model', 'llama3.3']);
  expect(missing.code).toBe(1);
  expect(missing.out).toMatch(/llama3\.3 +unknown +unknown/);
  expect(missing.err).toContain(`CADRE_PRICES='{"llama3.3":{"input":0,"output":0}}'`);
  const free = { CADRE_PRICES: '{"llama3.3":{"input":0,"output":0}}' };
  expect(await run(['check', '--model', 'llama3.3'], free)).toMatchObject({ code: 0, err: '' });
});

test('without --model it looks at what is configured; where no gateway answers it says so', async () => {
  const { code, out, err } = await run(['check', '-o', 'json'], { CADRE_MODEL: 'llama3.3', OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1' });
  expect(code).toBe(1);
  expect(JSON.parse(out)).toEqual({ models: [{ model: 'llama3.3', usedBy: ['CADRE_MODEL'], known: false }] });
  expect(err).toContain('The models of agents are not looked at');
  expect((await run(['check'])).code).toBe(0);
});

test('a setting that cannot be read is refused', async () => {
  expect(await run(['list'], { CADRE_PRICES: '{"m":{"input":"dear"}}' })).toMatchObject({ err: expect.stringContaining('CADRE_PRICES') });
});
