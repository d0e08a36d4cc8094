import { AgentTemplate, type DefinedAgent } from '@cadre/contracts';
import type { StoredAgent } from '@cadre/engine';
import { AgentRoster, resolveDefinition } from './agent-roster.js';
import { sampleAgent } from './testing/fixtures.js';

const template = AgentTemplate.parse({
  name: 'assistant',
  description: 'Helps.',
  tools: ['read_file', 'write_file', 'send_message'],
  defaults: { instructions: 'You help.', tools: ['read_file'], temperature: 0.5, limits: { maxSteps: 5, maxMs: 1000 } },
});
const given: DefinedAgent = { template: 'assistant', description: 'Reads.', skills: ['reading'] };

describe('what a definition comes to', () => {
  test('what it leaves out is as its template says, the rest as usual', () => {
    expect(resolveDefinition('reader', given, template)).toEqual({
      ...{ name: 'reader', description: 'Reads.', skills: ['reading'], instructions: 'You help.', tools: ['read_file'] },
      ...{ fallbackModels: [], temperature: 0.5, limits: { maxSteps: 5, maxTokens: 200_000, maxMs: 1000 } },
    });
  });

  test('what it says goes before, each limit by itself', () => {
    const said = { instructions: 'You read.', model: 'm', temperature: 0, maxParallel: 2, limits: { maxSteps: 7, maxCostMicros: 9 } };
    expect(resolveDefinition('reader', { ...given, ...said }, template)).toMatchObject({
      ...{ instructions: 'You read.', model: 'm', temperature: 0, maxParallel: 2 },
      limits: { maxSteps: 7, maxTokens: 200_000, maxMs: 1000, maxCostMicros: 9 },
    });
  });

  test('it is granted no tool that the template has not, whatever it asks for', () => {
    const tools = ['write_file', 'run_tests', 'hand_off'];
    expect(resolveDefinition('reader', { ...given, tools }, template).tools).toEqual(['write_file']);
    const open = { ...template, defaults: { instructions: 'i' } };
    expect(resolveDefinition('reader', given, open).tools).toEqual(template.tools);
    expect(resolveDefinition('reader', { ...given, tools: [] }, open).tools).toEqual([]);
  });

  test('its results rest on what those of its template do, as far as it has these tools', () => {
    const restsOn = ['read_file', 'send_message'];
    const firm = { ...template, defaults: { ...template.defaults, restsOn } };
    const of = (said: Partial<DefinedAgent>) => resolveDefinition('reader', { ...given, ...said }, firm).restsOn;
    expect(of({})).toEqual(['read_file']);
    expect(of({ tools: ['write_file'] })).toBeUndefined();
    expect(of({ tools: ['write_file', 'read_file'], restsOn: ['write_file'] })).toEqual(['write_file']);
  });
});

describe('the agents of a worker', () => {
  const stored = (revision: number, name: string, definition: DefinedAgent | undefined = given, tenant = 'acme'): StoredAgent => ({
    revision,
    record: { tenant, name, version: revision, changedAt: 0, ...(definition && { definition }) },
  });
  const removed = (revision: number, name: string): StoredAgent => ({
    revision,
    record: { tenant: 'acme', name, version: revision, changedAt: 0 },
  });
  const names = (roster: AgentRoster) => roster.all().map(({ definition, tenant }) => `${definition.name} ${tenant ?? '*'}`);

  test('are its own and those made from its templates, each for its tenant, until they are removed', () => {
    const roster = new AgentRoster([sampleAgent()], [template]);
    expect([roster.take(stored(1, 'reader')), names(roster)]).toEqual([true, ['generalist *', 'reader acme']]);
    expect([roster.take(stored(2, 'other', { ...given, template: 'elsewhere' })), roster.revision]).toEqual([false, 2]);
    const made = roster.all()[1]!.definition;
    expect([roster.templateOf(made), roster.templateOf(sampleAgent())]).toEqual(['assistant', undefined]);
    // Told again, and told late.
    expect([roster.take(stored(1, 'reader')), roster.all()[1]?.definition === made]).toEqual([false, true]);
    expect(roster.take(stored(3, 'reader', { ...given, instructions: 'Others.' }))).toBe(true);
    expect(roster.all()[1]).toMatchObject({ definition: { instructions: 'Others.' } });
    expect([roster.take(removed(4, 'reader')), names(roster), roster.revision]).toEqual([true, ['generalist *'], 4]);
  });

  test('one that the worker brings goes before one that is defined under its name', () => {
    const roster = new AgentRoster([sampleAgent()], [template]);
    expect([roster.take(stored(1, 'generalist')), names(roster)]).toEqual([false, ['generalist *']]);
  });

  test('one that goes over to a template that is not here is here no more', () => {
    const roster = new AgentRoster([], [template]);
    roster.take(stored(1, 'reader'));
    expect([roster.take(stored(2, 'reader', { ...given, template: 'elsewhere' })), names(roster)]).toEqual([true, []]);
  });
});
