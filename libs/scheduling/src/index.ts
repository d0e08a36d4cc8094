/** The public names of the scheduling library. */
export { OpenWork } from './open-work.js';
export { AgentDirectory, DIRECTORY_TIMING } from './agent-directory.js';
export type { DirectoryTiming, KnownWorker } from './agent-directory.js';
export { OfferDesk, DESK_TIMING } from './offer-desk.js';
export type { DeskTiming, LostAttempt, Unmatched } from './offer-desk.js';
export { matchOffers, capableAgent } from './match-offers.js';
export type { Match, MatchRules, OpenWorker } from './match-offers.js';
export { attemptKey, groupReady } from './attempts.js';
export type { AttemptName, ReadyAttempt, ReadyGroup, RunningAttempt, WorkerOffers } from './attempts.js';
export { rankOf, priorityOf, urgencyOf } from './urgency.js';
