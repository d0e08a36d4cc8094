import type { TaskId } from '@cadre/contracts';

/** What a decision has still to look at. */
export interface Cascade {
  /** Tasks that have joined the run. */
  added(ids: readonly TaskId[]): void;
  /** A task that has ended. */
  ended(id: TaskId): void;
  /** A task whose time may have come. @param lost something that it depends on cannot succeed any more */
  look(id: TaskId, lost?: boolean): void;
}
