/** Keeps the memory that uploads take together within bounds, however slowly they come in. */
import { CadreError } from '@cadre/contracts';

export class UploadBudget {
  private used = 0;

  /** @param limitBytes of all uploads under way */
  constructor(private readonly limitBytes: number) {}

  get usedBytes(): number {
    return this.used;
  }

  /** @throws CadreError `unavailable` (retriable) when uploads under way take all of it */
  take(bytes: number): void {
    if (this.used + bytes > this.limitBytes) {
      throw new CadreError('unavailable', 'Too many uploads are under way.', { retriable: true, remedy: 'upload again in a moment' });
    }
    this.used += bytes;
  }

  give(bytes: number): void {
    this.used -= bytes;
  }
}
