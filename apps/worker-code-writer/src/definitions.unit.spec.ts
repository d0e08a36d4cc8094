import { AgentDefinition, SKILLS, TOOL_NAMES } from '@cadre/contracts';
import { codeTools, genericTools } from '@cadre/worker-kit';

import { codeWriter } from './code-writer.js';

test('it is a sound definition, and each tool granted is there', () => {
  const agent = AgentDefinition.parse(codeWriter);
  expect(agent.skills).toEqual([SKILLS.codeGeneration]);
  const there = [...genericTools({} as never), ...codeTools({} as never)].map((tool) => tool.name);
  for (const tool of agent.tools) {
    expect(TOOL_NAMES).toContain(tool);
    expect(there).toContain(tool);
  }
});
