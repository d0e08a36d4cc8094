import { AgentDefinition, SKILLS, TOOL_NAMES } from '@cadre/contracts';
import { genericTools } from '@cadre/worker-kit';
import { testTools } from './test-tools.js';
import { testWriter } from './test-writer.js';

test('it is a sound definition, and each tool granted is there', () => {
  const agent = AgentDefinition.parse(testWriter);
  expect(agent.skills).toEqual([SKILLS.testing]);
  const there = [...genericTools({} as never), ...testTools()({} as never, {} as never)].map((tool) => tool.name);
  for (const tool of agent.tools) {
    expect(TOOL_NAMES).toContain(tool);
    expect(there).toContain(tool);
  }
});
