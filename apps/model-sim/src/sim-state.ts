import { CallWitness } from './call-witness.js';
import type { Faults } from './wire/faults.js';

/** What changes while the server runs: the faults it plays, and what it was asked. */
export class SimState {
  readonly witness = new CallWitness();

  constructor(public faults: Faults) {}
}
