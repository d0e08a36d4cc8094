import { CadreError } from '@cadre/contracts';
import { untilAnswered } from './until-answered.js';

const unavailable = new CadreError('store-unavailable', 'no answer', { retriable: true });

test('asks again until there is an answer', async () => {
  let asked = 0;
  const ask = async () => {
    asked += 1;
    if (asked < 3) throw unavailable;
    return 'there';
  };
  expect([await untilAnswered(new AbortController().signal, ask), asked]).toEqual(['there', 3]);
});

test('an error that will not pass is told at once, any error when the attempt ends', async () => {
  const missing = new CadreError('blob-missing', 'gone');
  await expect(untilAnswered(new AbortController().signal, () => Promise.reject(missing))).rejects.toBe(missing);
  await expect(untilAnswered(AbortSignal.abort(), () => Promise.reject(unavailable))).rejects.toBe(unavailable);
  const ending = new AbortController();
  const asking = untilAnswered(ending.signal, () => Promise.reject(unavailable));
  setTimeout(() => ending.abort(), 20);
  await expect(asking).rejects.toMatchObject({ name: 'AbortError' });
});
