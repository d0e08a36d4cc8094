import { CallWitness } from './call-witness.js';
import type { Faults } from './wire/faults.js';
import { Limiter, type Limits } from './wire/limiter.js';

/** What changes while the server runs: the faults it plays, what it was asked, and what is left of its limits. */
export class SimState {
  readonly witness = new CallWitness();
  limiter: Limiter;

  constructor(
    public faults: Faults,
    private readonly limits: Limits,
  ) {
    this.limiter = new Limiter(limits, performance.now());
  }

  /** Forgets what was asked. */
  reset(): void {
    this.witness.reset();
    this.limiter = new Limiter(this.limits, performance.now());
  }
}
