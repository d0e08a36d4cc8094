import { AgentDefinition, AgentTemplate, PATTERN_KINDS, SKILLS, TOOL_NAMES } from '@cadre/contracts';
import { assistant } from './assistant.js';
import { coordinator } from './coordinator.js';
import { generalist } from './generalist.js';
import { planner } from './planner.js';
import { synthesizer } from './synthesizer.js';

test.each([
  [planner, SKILLS.planning],
  [synthesizer, SKILLS.synthesis],
  [coordinator, SKILLS.coordination],
  [generalist, SKILLS.general],
])('$name is a sound definition with one skill and known tools', (definition, skill) => {
  const agent = AgentDefinition.parse(definition);
  expect(agent.skills).toEqual([skill]);
  for (const tool of agent.tools) expect(TOOL_NAMES).toContain(tool);
});

test('the template for agents of people is sound, and gives less by default than it may', () => {
  const { tools, defaults } = AgentTemplate.parse(assistant);
  for (const tool of tools) expect(TOOL_NAMES).toContain(tool);
  expect(tools).toEqual(expect.arrayContaining(defaults.tools!));
  expect(defaults.tools).not.toContain('delegate');
});

test("the example in the planner's instructions is a plan that its agents can read", async () => {
  const { readFinal } = await import('@cadre/agents');
  const example = planner.instructions.slice(planner.instructions.indexOf('{"plan"'));
  const catalogue = ['data-analysis', 'code-generation', 'testing'].map((skill) => ({ name: skill, description: skill, skills: [skill] }));
  expect(readFinal(example, { kind: 'plan', form: 'json', catalogue })).toMatchObject({
    ok: true,
    reply: { plan: { plan: { tasks: { length: 3 } } } },
  });
});

test('what the planner may write is what it is told of', async () => {
  const { responseSchemaFor, systemText } = await import('@cadre/agents');
  const told = systemText(AgentDefinition.parse(planner), { kind: 'plan', tools: planner.tools });
  const names = namesIn(responseSchemaFor('plan').schema).filter((name) => !['confidence', 'title'].includes(name));
  expect(names.length).toBeGreaterThan(20);
  for (const name of [...names, ...PATTERN_KINDS]) expect(told).toContain(`"${name}"`);
});

/** Of all fields of a schema, those within others included. */
function namesIn(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties } = schema as { properties?: object };
  return [
    ...Object.keys(properties ?? {}),
    ...Object.values(schema).flatMap((each) => (each === properties ? Object.values(each as object).flatMap(namesIn) : namesIn(each))),
  ];
}
