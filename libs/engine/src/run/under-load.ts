/** What a run gives up when it has to wait. */
import type { RunState, TaskState } from '../state.js';

/** Whether what its agent gives up under load may be given up for the task, see `UnderLoad`. */
export function mayGiveUp({ options }: Pick<RunState, 'options'>, { spec }: Pick<TaskState, 'spec'>): boolean {
  return spec.underLoad === undefined && options.underLoad === undefined;
}
