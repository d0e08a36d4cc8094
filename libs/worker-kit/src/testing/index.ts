export { ChatServer } from './chat-server.js';
export type { ChatReply, ChatRequest } from './chat-server.js';
export { ScriptedOwner } from './scripted-owner.js';
export type { ScriptedAnswer } from './scripted-owner.js';
export { until, WorkerStage } from './worker-stage.js';
