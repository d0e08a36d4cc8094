import { agentFaults } from './agent-faults.js';
import { AgentDefinition } from './agents.js';

const faults = (more: object) =>
  agentFaults(AgentDefinition.parse({ name: 'a', description: 'd', skills: ['s'], instructions: 'i', tools: [], model: 'big', ...more }));

test('an agent that batches has no tools, unless it is code', () => {
  const batch = { maxTasks: 20, waitMs: 200 };
  expect(faults({ batch })).toEqual([]);
  const agent = AgentDefinition.parse({ name: 'a', description: 'd', skills: ['s'], instructions: 'i', tools: ['read_file'], batch });
  expect(agentFaults(agent)).toEqual([expect.stringMatching(/^batch is for agents without tools/)]);
  expect(agentFaults(agent, 'code')).toEqual([]);
});

test('results can rest on tools of the agent only, and only a model can forget to call them', () => {
  const agent = (restsOn: string[]) =>
    AgentDefinition.parse({ name: 'a', description: 'd', skills: ['s'], instructions: 'i', tools: ['read_file'], restsOn });
  expect(agentFaults(agent(['read_file']))).toEqual([]);
  expect(agentFaults(agent(['read_file', 'run_tests']))).toEqual(["restsOn names what is not among the agent's tools: run_tests."]);
  expect(agentFaults(agent(['read_file']), 'code')).toEqual([expect.stringMatching(/^restsOn is for agents that a model plays/)]);
});

test.each<[object, object | undefined]>([
  [{ model: 'small' }, undefined],
  [{ effort: 'low' }, undefined],
  [
    { effort: 'minimal', reflect: 1, alternatives: 0 },
    { effort: 'low', reflect: 2, alternatives: 1 },
  ],
  [{ model: 'small', effort: 'medium' }, { effort: 'high' }],
])('under load %j of an agent that thinks %j makes sense', (underLoad, thinking) => {
  expect(faults({ underLoad: { waitMs: 5, ...underLoad }, thinking })).toEqual([]);
});

test.each<[object, object | undefined, RegExp[]]>([
  [{}, undefined, [/^underLoad gives nothing up; name a cheaper model, a lower effort/]],
  [{ model: 'big' }, undefined, [/^underLoad.model is the agent's own model, big/]],
  [{ effort: 'medium' }, undefined, [/^underLoad.effort must be lower than the agent's own, which is medium unless it says so/]],
  [{ effort: 'low' }, { effort: 'low' }, [/^underLoad.effort must be lower than the agent's own, which is low\./]],
  [{ reflect: 0 }, undefined, [/^underLoad.reflect must be less than the agent's own, which is 0/]],
  [
    { model: 'small', reflect: 1, alternatives: 2 },
    { reflect: 1, alternatives: 2 },
    [/^underLoad.reflect .* 1\.$/, /^underLoad.alternatives .* 2\.$/],
  ],
])('under load %j of an agent that thinks %j gives up nothing, and that is told', (underLoad, thinking, told) => {
  expect(faults({ underLoad: { waitMs: 5, ...underLoad }, thinking })).toEqual(told.map((each) => expect.stringMatching(each) as string));
});

test.each<[object, RegExp | undefined]>([
  [{ queueMs: 5, agent: 'b' }, undefined],
  [{ queueMs: 5, effort: 'low' }, undefined],
  [{ queueMs: 5, waitMs: 9, agent: 'b', model: 'small' }, undefined],
  [{ model: 'small' }, /^underLoad says no time; set waitMs, .* queueMs, /],
  [{ waitMs: 5, model: 'small', agent: 'b' }, /^underLoad.agent needs queueMs/],
  [{ queueMs: 5, agent: 'a' }, /^underLoad.agent is the agent itself/],
  [{ queueMs: 5 }, /^underLoad.queueMs changes nothing; name the agent/],
  [{ queueMs: 5, waitMs: 5, agent: 'b' }, /^underLoad gives nothing up/],
  [{ queueMs: 5, model: 'big' }, /^underLoad.model is the agent's own model, big/],
])('tasks that wait for a slot: %j', (underLoad, told) => {
  expect(faults({ underLoad })).toEqual(told ? [expect.stringMatching(told)] : []);
});
