/** What can be said of a lease that is not held. */
import { CadreError } from '@cadre/contracts';

export function leaseAborted(name: string): CadreError {
  return new CadreError('aborted', `Waiting for the lease ${name} was given up.`);
}

export function leaseLost(name: string): CadreError {
  return new CadreError('lease-lost', `The lease ${name} was lost: it could not be renewed in time, or another holder has it.`, {
    retriable: true,
    remedy: 'Drop what the lease protected and acquire it again.',
  });
}

export function leaseReleased(name: string): CadreError {
  return new CadreError('lease-released', `The lease ${name} was released.`);
}
