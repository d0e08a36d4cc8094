import type { Plant } from './planted/plant.js';
import type { WireSurroundings } from './wire.js';

/** What all processes are connected to. */
export interface Surroundings extends WireSurroundings {
  /** The fault that is planted, if one is. */
  plant: Plant;
}
