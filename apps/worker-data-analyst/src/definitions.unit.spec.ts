import { AgentDefinition, SKILLS, TOOL_NAMES } from '@cadre/contracts';
import { genericTools } from '@cadre/worker-kit';
import { dataTools } from './data-tools.js';
import { dataAnalyst } from './data-analyst.js';

test('it is a sound definition, and each tool granted is there', () => {
  const agent = AgentDefinition.parse(dataAnalyst);
  expect(agent.skills).toEqual([SKILLS.dataAnalysis, SKILLS.visualization]);
  const there = [...genericTools({} as never), ...dataTools()({} as never, {} as never)].map((tool) => tool.name);
  for (const tool of agent.tools) {
    expect(TOOL_NAMES).toContain(tool);
    expect(there).toContain(tool);
  }
});
