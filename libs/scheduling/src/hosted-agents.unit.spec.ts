import type { AgentRecord, DefinedAgent, Heartbeat } from '@cadre/contracts';
import { AgentDirectory } from './agent-directory.js';
import { groupReady, type ReadyAttempt } from './attempts.js';
import { matchOffers, type OpenWorker } from './match-offers.js';
import { rig } from './testing/desk-rig.js';

const templates = [{ name: 'assistant', description: 'a', tools: [] }];
const definition = (change: Partial<DefinedAgent> = {}): DefinedAgent => ({
  ...{ template: 'assistant', description: 'Reads.', skills: ['reading'] },
  ...change,
});
const record = (name: string, change: Partial<AgentRecord> = {}): AgentRecord => ({
  ...{ tenant: 'acme', name, version: 1, changedAt: 0, definition: definition() },
  ...change,
});
/** A removed one. */
const gone = (name: string, handTo?: string): AgentRecord => {
  const { definition: _definition, ...rest } = record(name);
  return { ...rest, ...(handTo !== undefined && { handTo }) };
};
const beat = (change: Partial<Heartbeat> = {}): Heartbeat => ({
  ...{ workerId: 'w', epoch: 'e', seq: 1, at: 0, startedAt: 0, specialty: 's', state: 'idle', slots: 9, held: [] },
  agents: [{ name: 'generalist', description: 'g', skills: ['general'] }],
  ...{ templates, definitions: 100 },
  ...change,
});
const ready = (tenant: string, needs: Pick<ReadyAttempt, 'skills' | 'agent'>): ReadyAttempt => ({
  ...{ runId: 'r00-00000000-0000-7000-8000-000000000001', taskId: 't', attempt: 1, tenant, rank: 2, planning: false, readyAt: 0 },
  ...needs,
});

/** Who gets a task of a tenant, by `agent` or `agent for the-one-named`; undefined: nobody. */
function taker(directory: AgentDirectory, tenant: string, needs: { skills?: string[]; agent?: string }): string | undefined {
  const workers = directory.offerable(0).map((worker): OpenWorker => {
    return { workerId: worker.beat.workerId, epoch: 'e', agents: directory.agentsOf(worker), slots: 9, size: 9, used: 0, lastTurn: 0 };
  });
  const group = groupReady([ready(tenant, { skills: needs.skills ?? [], ...(needs.agent !== undefined && { agent: needs.agent }) })]);
  const [match] = matchOffers(group, workers, { now: 0, ageingMs: 1000 });
  return match && (match.insteadOf === undefined ? match.agent : `${match.agent} for ${match.insteadOf}`);
}

function directoryOf(beats: Heartbeat[], ...records: AgentRecord[]): AgentDirectory {
  const directory = new AgentDirectory(0);
  for (const each of beats) directory.hear(each, 0);
  records.forEach((each, index) => directory.learn({ revision: index + 1, record: each }));
  return directory;
}

describe('agents that are defined at run time', () => {
  test('work for their tenant, by name and by skill, and for no other', () => {
    const directory = directoryOf([beat()], record('reader'));
    const by = (tenant: string) => [taker(directory, tenant, { agent: 'reader' }), taker(directory, tenant, { skills: ['reading'] })];
    expect(by('acme')).toEqual(['reader', 'reader']);
    expect(by('rival')).toEqual([undefined, undefined]);
    expect(taker(directory, 'rival', { skills: ['general'] })).toBe('generalist');
  });

  test('tasks of two tenants with the same needs go each to its own', () => {
    const directory = directoryOf([beat()], record('reader'), record('lector', { tenant: 'rival' }));
    const [worker] = directory.offerable(0);
    const open = { workerId: 'w', epoch: 'e', agents: directory.agentsOf(worker!), slots: 9, size: 9, used: 0, lastTurn: 0 };
    const groups = groupReady(['acme', 'rival', 'third'].map((tenant) => ready(tenant, { skills: ['reading'] })));
    const matches = matchOffers(groups, [open], { now: 0, ageingMs: 1000 });
    expect(matches.map(({ attempt, agent }) => `${attempt.tenant} ${agent}`).sort()).toEqual(['acme reader', 'rival lector']);
  });

  test('are where their template is offered and the definition was read', () => {
    expect(taker(directoryOf([beat({ definitions: 0 })], record('reader')), 'acme', { agent: 'reader' })).toBeUndefined();
    const other = [{ name: 'other', description: 'o', tools: [] }];
    expect(taker(directoryOf([beat({ templates: other })], record('reader')), 'acme', { agent: 'reader' })).toBeUndefined();
    const { templates: _templates, definitions: _definitions, ...plain } = beat();
    expect(taker(directoryOf([plain], record('reader')), 'acme', { agent: 'reader' })).toBeUndefined();
    // A worker's own agent of the name goes before it, for every tenant.
    const own = [{ name: 'reader', description: 'own', skills: ['general'] }];
    expect(taker(directoryOf([beat({ agents: own })], record('reader')), 'rival', { agent: 'reader' })).toBe('reader');
  });

  test('are told to planners of their tenant, and their limit holds', () => {
    const directory = directoryOf([beat()], record('reader', { definition: definition({ maxParallel: 2 }) }));
    expect(directory.catalogue(0, 'acme').map(({ name }) => name)).toEqual(['generalist', 'reader']);
    expect(directory.catalogue(0, 'acme')[1]).toEqual({ name: 'reader', description: 'Reads.', skills: ['reading'], maxParallel: 2 });
    expect(directory.catalogue(0, 'rival').map(({ name }) => name)).toEqual(['generalist']);
    expect([...directory.agentLimits(0)]).toEqual([['reader', 2]]);
  });

  test('a change is seen at once, whoever tells of it first', () => {
    const directory = directoryOf([beat({ definitions: 1 })], record('reader'));
    expect(directory.learn({ revision: 2, record: record('late') })).toBe(true);
    expect(taker(directory, 'acme', { agent: 'late' })).toBeUndefined();
    expect(directory.hear(beat({ seq: 2, definitions: 2 }), 0)).toBe(true);
    expect(taker(directory, 'acme', { agent: 'late' })).toBe('late');
    expect(directory.learn({ revision: 2, record: record('late') })).toBe(false);
  });
});

describe('tasks that ask for an agent that was removed', () => {
  test('go to whom it has handed on, of that tenant only; without one they wait', () => {
    const directory = directoryOf([beat()], record('reader'), gone('left', 'reader'), gone('lone'), gone('old', 'generalist'));
    expect(taker(directory, 'acme', { agent: 'left' })).toBe('reader for left');
    expect(taker(directory, 'acme', { agent: 'old' })).toBe('generalist for old');
    expect(taker(directory, 'acme', { agent: 'lone' })).toBeUndefined();
    expect(taker(directory, 'rival', { agent: 'left' })).toBeUndefined();
    expect(taker(directory, 'rival', { agent: 'old' })).toBeUndefined();
    expect(taker(directory, 'acme', { skills: ['reading'] })).toBe('reader');
  });

  test('follow further when that one is removed, too, and wait when it leads nowhere', () => {
    const chain = [gone('a', 'b'), gone('b', 'reader'), gone('c', 'd'), gone('d', 'c'), gone('e', 'nobody')];
    const directory = directoryOf([beat()], record('reader'), ...chain);
    expect(['a', 'b', 'c', 'd', 'e'].map((agent) => taker(directory, 'acme', { agent }))).toEqual([
      ...['reader for a', 'reader for b', undefined, undefined, undefined],
    ]);
  });

  test('go to the agent itself once it is defined again', () => {
    const directory = directoryOf([beat()], record('reader'), gone('left', 'reader'), record('left', { version: 2 }));
    expect(taker(directory, 'acme', { agent: 'left' })).toBe('left');
  });

  test('but what asks for skills goes to whoever has them, also when the removed one has begun it', () => {
    const it = rig([{ skills: ['general'] }]);
    const again = (agent: string) => it.log({ type: 'AttemptScheduled', taskId: 't0', attempt: 2, notBefore: it.now, agent });
    it.directory.learn({ revision: 1, record: { ...record('left'), tenant: 'default' } });
    again('left');
    it.beat();
    // Who has begun it is only not here.
    expect(it.offered()).toEqual([]);
    it.directory.learn({ revision: 2, record: { ...gone('left'), tenant: 'default' } });
    expect(it.desk.tensor(it.now)).toMatchObject({ labels: { agents: ['generalist'] }, entries: [[0, 0, 2, 0.75]] });
    expect(it.desk.offers(it.now)).toMatchObject([{ offers: [{ attempt: 2, agent: 'generalist', insteadOf: 'left' }] }]);
  });

  test('the offer says for whom it is; work that nobody takes is told as unmatched', () => {
    const it = rig([{ agent: 'left' }]);
    it.directory.learn({ revision: 1, record: { ...gone('left'), tenant: 'default' } });
    it.beat();
    expect([it.offered(), it.desk.unmatched(it.now)]).toEqual([[], []]);
    it.now += 30_000;
    it.beat();
    expect(it.desk.unmatched(it.now)).toMatchObject([{ reason: 'no-agent', agent: 'left', count: 1 }]);
    it.directory.learn({ revision: 2, record: { ...gone('left', 'generalist'), tenant: 'default' } });
    expect(it.desk.offers(it.now)).toMatchObject([{ offers: [{ taskId: 't0', agent: 'generalist', insteadOf: 'left' }] }]);
  });
});
