/** Starts a worker: a service that hosts agents and works on the attempts it is offered. */
import { CadreError } from '@cadre/contracts';
import type { WorkerOptions } from './worker-options.js';

export async function startWorker(options: WorkerOptions): Promise<{ url: string; stop(): Promise<void> }> {
  throw new CadreError('not-built', `The ${options.specialty} worker cannot start yet.`);
}
