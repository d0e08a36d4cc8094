/** All planted faults by name. */
import { DECIDE_FAULTS } from './decide-faults.js';
import { LOG_FAULTS } from './log-faults.js';
import type { Plant } from './plant.js';
import { PROCESS_FAULTS } from './process-faults.js';

export const PLANTS: Readonly<Record<string, Plant>> = { ...LOG_FAULTS, ...DECIDE_FAULTS, ...PROCESS_FAULTS };
