import type { AgentRecord, DefinedAgent } from '@cadre/contracts';
import { KvAgentStore } from '@cadre/event-log';
import { startNatsServer } from '@cadre/nats-server';
import { templateOf } from './template-of.js';
import { ScriptedOwner, until, WorkerStage } from './testing/index.js';
import type { ChatReply, ChatRequest } from './testing/index.js';

const RUN = 'r00-01890000-0000-7000-8000-000000000001';

let stage: WorkerStage;
let owner: ScriptedOwner;
let store: KvAgentStore;

beforeAll(async () => {
  stage = await WorkerStage.open(await startNatsServer({ syncAlways: false }));
  store = await KvAgentStore.open(stage.nats);
}, 60_000);
afterAll(async () => {
  store.close();
  await stage.close();
});
beforeEach(() => {
  owner = new ScriptedOwner();
  stage.model.chat = () => done;
  stage.begin((request) => owner.answer(request));
});
afterEach(() => stage.end());

const given: DefinedAgent = {
  ...{ template: 'helper', description: 'Reads.', skills: ['reading'] },
  instructions: 'You read aloud.',
  tools: ['read_file', 'write_file', 'hand_off'],
};

/** @param definition undefined: it is removed @returns the revision */
async function write(name: string, definition: DefinedAgent | undefined, tenant = 'default'): Promise<number> {
  const { revision } = await store.read(name);
  const record: AgentRecord = { tenant, name, version: 1, changedAt: 0, ...(definition && { definition }) };
  expect(await store.write(record, revision)).toBe('written');
  return (await store.read(name)).revision;
}

/** Until the worker has it. */
async function say(...said: Parameters<typeof write>): Promise<void> {
  const revision = await write(...said);
  await until(() => (stage.lastBeat().definitions ?? 0) >= revision);
}

const template = { name: 'helper', description: 'Helps.', tools: ['read_file', 'list_files'], defaults: { instructions: 'Help.' } };
const done: ChatReply = { text: '{"answer":"Done.","confidence":0.7}' };

test('a worker tells its labels; agents that require others are not there, whether it brings them or they are defined', async () => {
  const agents = [stage.agent([]), { ...stage.agent([]), name: 'painter', requires: { gpu: true } }];
  await stage.worker({ agents, templates: [template] }, { CADRE_LABELS: 'region=eu, fast' });
  expect(stage.lastBeat()).toMatchObject({ labels: { region: 'eu', fast: 'true' }, agents: [{ name: 'generalist' }] });
  await say('seer', { ...given, requires: { gpu: true } });
  await say('reader', { ...given, requires: { region: 'eu' }, labels: { tier: 'gold' } });
  stage.offer(RUN, ['a'], 1, 'seer');
  stage.offer(RUN, ['b'], 1, 'reader');
  await until(() => owner.of('CompleteAttempt').length === 1);
  expect(owner.of('StartAttempt').map(({ agent, taskId }) => [agent, taskId])).toEqual([['reader', 'b']]);
  for (const [labels, why] of [
    ['GPU=true', /GPU: the name of a label is/],
    ['gpu=a b', /must be labels like gpu=true,region=eu \(gpu/],
  ] as const)
    await expect(stage.worker({}, { CADRE_LABELS: labels })).rejects.toThrow(why);
  await expect(stage.worker({ agents: [agents[1]!] })).rejects.toThrow(
    'No agent of this worker can be hosted: each requires other labels than none.',
  );
});

test('an agent is defined, changed and removed while the worker goes on; it gets no tool beyond its template', async () => {
  await write('early', given); // before any worker listens
  const seen: ChatRequest[] = [];
  stage.model.chat = (body) => (seen.push(body), done);
  await stage.worker({ templates: [template] });
  const { epoch } = stage.lastBeat();
  expect(stage.lastBeat().templates).toEqual([{ name: 'helper', description: 'Helps.', tools: ['read_file', 'list_files'] }]);
  await until(() => (stage.lastBeat().definitions ?? 0) > 0);
  stage.offer(RUN, ['a'], 1, 'early');
  await until(() => owner.of('CompleteAttempt').length === 1);
  expect(owner.of('StartAttempt')[0]).toMatchObject({ agent: 'early', tools: ['read_file'] });
  expect(seen[0]?.messages[0]?.content).toContain('You read aloud.');

  await say('late', { ...given, instructions: 'You whisper.', tools: [] });
  stage.offer(RUN, ['b'], 1, 'late');
  await until(() => owner.of('CompleteAttempt').length === 2);
  expect(owner.of('StartAttempt')[1]).toMatchObject({ agent: 'late', tools: [] });
  expect(seen[1]?.messages[0]?.content).toContain('You whisper.');

  let answer = (_: ChatReply) => undefined as void;
  stage.model.chat = () => new Promise<ChatReply>((resolve) => (answer = resolve));
  stage.offer(RUN, ['c'], 1, 'early');
  await until(() => stage.lastBeat().held.length === 1 && owner.of('RecordCalls').length === 3);
  await say('early', undefined);
  await until(() => owner.of('ReleaseAttempt').length === 1);
  expect(owner.of('ReleaseAttempt')[0]).toMatchObject({ taskId: 'c' });
  answer(done);
  await until(() => stage.lastBeat().held.length === 0);
  stage.offer(RUN, ['d'], 1, 'early');
  stage.offer(RUN, ['e'], 1, 'late');
  await until(() => owner.of('StartAttempt').some(({ taskId }) => taskId === 'e'));
  expect(owner.of('StartAttempt').map(({ taskId }) => taskId)).toEqual(['a', 'b', 'c', 'e']);
  answer(done);
  expect(stage.lastBeat().epoch).toBe(epoch);
});

test("what names another template, or an agent of the worker, is not hosted; another tenant's gets no offer of this one", async () => {
  await stage.worker({ templates: [template] });
  await say('elsewhere', { ...given, template: 'other' });
  await say('generalist', given);
  await say('foreign', given, 'rival');
  for (const agent of ['elsewhere', 'foreign']) stage.offer(RUN, [agent], 1, agent);
  stage.offer(RUN, ['own'], 1, 'generalist');
  await until(() => owner.of('CompleteAttempt').length === 1);
  expect(owner.of('StartAttempt').map(({ taskId, tools }) => [taskId, tools.length])).toEqual([['own', 4]]);
});

test('code does the work of agents made from its template', async () => {
  const revision = await write('shouter', { ...given, instructions: '!' });
  const helper = async ({ agent }: { agent: { name: string; instructions: string } }) => ({
    answer: `${agent.name}${agent.instructions}`,
    confidence: 1,
  });
  await stage.worker({ templates: [template], performers: { helper } });
  await until(() => (stage.lastBeat().definitions ?? 0) >= revision);
  stage.offer(RUN, ['a'], 1, 'shouter');
  await until(() => owner.of('CompleteAttempt').length === 1);
  expect(owner.of('CompleteAttempt')[0]?.result.answer).toEqual({ text: 'shouter!' });
});

test('two templates of one name are refused at the start', async () => {
  await expect(stage.worker({ templates: [template, template] })).rejects.toThrow('two templates have one name');
});

test('a template like an agent has all of it but what each agent says by itself', () => {
  const agent = { name: 'a', description: 'd', skills: ['s'], instructions: 'i', tools: ['read_file'], maxParallel: 2, temperature: 1 };
  const like = { name: 'a', description: 'd', tools: ['read_file'], defaults: { instructions: 'i', temperature: 1 } };
  expect(templateOf(agent)).toEqual(like);
});
