import { Thinking } from '@cadre/contracts';
import { agentForTask } from './task-agent.js';
import { sharedArtifacts } from './shared-artifacts.js';
import { sampleAgent, sampleAssignment } from './testing/index.js';

describe('the agent of a task', () => {
  const agent = sampleAgent({ tools: ['echo', 'read_file'], memory: {}, thinking: { directives: ['Be short.'], reflect: 1 } });

  test('is the agent itself where the task says nothing, and for planning and answering', () => {
    expect(agentForTask(agent, sampleAssignment())).toBe(agent);
    expect(agentForTask(agent, sampleAssignment({ kind: 'answer', thinking: { style: 'critical' } }))).toBe(agent);
  });

  test('thinks as the task says; directives add up', () => {
    const thinking = { style: 'critical' as const, directives: ['Doubt it.'] };
    const own = { directives: ['Be short.', 'Doubt it.'], style: 'critical', reflect: 1 };
    expect(agentForTask(agent, sampleAssignment({ thinking })).thinking).toMatchObject(own);
    expect(agentForTask(sampleAgent(), sampleAssignment({ thinking })).thinking).toEqual(Thinking.parse(thinking));
  });

  test('is a specialist with its own words, the tools that were granted, and no memory of others', () => {
    const specialist = {
      name: 'poet',
      description: 'Writes.',
      skills: ['verse'],
      instructions: 'You write verse.',
      tools: ['echo', 'other'],
    };
    const made = agentForTask(agent, sampleAssignment({ specialist, tools: ['echo'] }));
    expect(made).toMatchObject({
      name: agent.name,
      instructions: 'You write verse.',
      skills: ['verse'],
      tools: ['echo'],
      limits: agent.limits,
    });
    expect(made.memory).toBeUndefined();
  });
});

describe('what is shared', () => {
  const file = (name: string) => ({ name, sha256: 'a'.repeat(64), size: 1, mediaType: 'text/plain' });
  const made = ['report.md', 'data/a.csv', 'scratch.txt'].map(file);
  const names = (shares?: string[]) => sharedArtifacts({ ...(shares && { shares }) }, made).map(({ name }) => name);

  test('is all, or what the task says', () => {
    expect(names()).toEqual(['report.md', 'data/a.csv', 'scratch.txt']);
    expect(names(['report.md', 'data'])).toEqual(['report.md', 'data/a.csv']);
  });

  test('and has to be there', () => {
    expect(() => names(['report.md', 'dat'])).toThrow(
      expect.objectContaining({
        code: 'artifact-missing',
        retriable: true,
        message: expect.stringMatching(/leave dat\. It wrote report\.md/),
      }),
    );
  });
});
