export { ScriptedModel, callsTools, answers } from './scripted-model.js';
export type { ScriptedTurn } from './scripted-model.js';
export { echoTool, sampleAgent, sampleAssignment, sampleOutcome } from './fixtures.js';
