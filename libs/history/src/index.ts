/** The public names of the history library. */
export { openHistory } from './open-history.js';
export type { HistoryOptions } from './open-history.js';
export { HistoryStore } from './history-store.js';
export type { ApplyOutcome, BeforeCommit } from './history-store.js';
export type { EndedCall, FoldedCommit, SkippedCommit } from './fold-batch.js';
export type { AnswerLimits } from './history-queries.js';
export { runView, runSummary, taskView } from './run-view.js';
