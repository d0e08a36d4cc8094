import { CadreError, Failure } from '@cadre/contracts';
import { failureOf } from './abort.js';

test.each([
  [
    new CadreError('model-timeout', 'm', { retriable: true, retryAfterMs: 1.5 }),
    { code: 'model-timeout', retriable: true, retryAfterMs: 2 },
  ],
  [
    new CadreError('E_ODD', 'm', { retryAfterMs: Number.POSITIVE_INFINITY }),
    { code: 'attempt-failed', retriable: false, retryAfterMs: 3_600_000 },
  ],
  [new CadreError('x-y', 'm', { remedy: 'Do this.', retryAfterMs: Number.NaN }), { message: 'm. Do this.', retryAfterMs: 0 }],
  [new CadreError('x-y', 'Is it on?', { remedy: 'Do this.' }), { message: 'Is it on? Do this.' }],
  [new Error('x'.repeat(9000)), { code: 'attempt-failed', retriable: true }],
  [undefined, { message: 'undefined' }],
])('%s becomes a failure that a message may hold', (error, wanted) => {
  const failure = failureOf(error, 'attempt-failed');
  expect(failure).toMatchObject(wanted);
  expect(Failure.parse(failure)).toEqual(failure);
});
