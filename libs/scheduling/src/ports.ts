/** What scheduling needs from outside. Adapters implement these; the simulator has its own forms. */
import type { AgentName, UnwantedAttempt, WorkerId } from '@cadre/contracts';
import type { AgentDirectory } from './agent-directory.js';
import type { WorkerOffers } from './attempts.js';

/** The wire to the workers. What goes over it may be lost. */
export interface OfferLine {
  /** @returns the number of messages */
  offer(offers: WorkerOffers): number;
  /** The work on these attempts is no longer wanted. */
  cancel(workerId: WorkerId, attempts: UnwantedAttempt[]): void;
  /** Ready work waits for slots of these agents. */
  backlog(agents: AgentName[]): void;
}

/** Hears the heartbeats of all workers and keeps the directory up to date. */
export interface HeartbeatEar {
  readonly directory: AgentDirectory;
  /** False while beats may get lost on our side. */
  readonly connected: boolean;
  /** Called when a beat brought something new. */
  onChange: () => void;
  /** Resolves to true once everything that was sent to us before has been heard; false: that cannot be said. */
  heardAll(timeoutMs: number): Promise<boolean>;
}
