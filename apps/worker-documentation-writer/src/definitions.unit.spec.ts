import { AgentDefinition, SKILLS, TOOL_NAMES } from '@cadre/contracts';
import { documentationWriter } from './documentation-writer.js';

test('it is a sound definition with one skill and known tools', () => {
  const agent = AgentDefinition.parse(documentationWriter);
  expect(agent.skills).toEqual([SKILLS.documentation]);
  for (const tool of agent.tools) expect(TOOL_NAMES).toContain(tool);
});
