import { crashAt, parseCrashAt, passingPoints } from './crash-points.js';

describe('what is set', () => {
  test.each([
    ['orchestrator-decided', { point: 'orchestrator-decided', passing: 1 }],
    ['worker-before-call:12', { point: 'worker-before-call', passing: 12 }],
    ['nowhere', undefined],
    ['worker-before-call:0', undefined],
    ['worker-before-call:', undefined],
    ['', undefined],
  ])('%s', (text, expected) => expect(parseCrashAt(text)).toEqual(expected));

  test('without a point there is nothing to pass', () => {
    expect(crashAt(undefined)).toBeUndefined();
    expect(crashAt('nowhere')).toBeUndefined();
  });
});

test('the end comes at the n-th passing of the point, and only there', () => {
  let kills = 0;
  const pass = crashAt('monitor-before-feed:2', () => (kills += 1))!;
  pass('monitor-before-feed');
  pass('monitor-feed-published');
  expect(kills).toBe(0);
  pass('monitor-before-feed');
  expect(kills).toBe(1);
  pass('monitor-before-feed');
  expect(kills).toBe(1);
});

class Store {
  readonly kept: string[] = [];
  readonly #prefix = 'kept ';
  put(text: string): Promise<string> {
    this.kept.push(text);
    return text === 'bad' ? Promise.reject(new Error('full')) : Promise.resolve(this.#prefix + text);
  }
  size(): number {
    return this.kept.length;
  }
}

describe('calls that pass points', () => {
  const POINTS = { put: { before: 'gateway-before-blob', sent: 'orchestrator-append-sent', after: 'gateway-blob-stored' } } as const;

  test('the object itself when nothing is set', () => {
    const store = new Store();
    expect(passingPoints(store, undefined, POINTS)).toBe(store);
  });

  test('before, on the wire, and after a success', async () => {
    const store = new Store();
    const seen: string[] = [];
    const watched = passingPoints(store, (point) => seen.push(`${point} ${store.kept.length}`), POINTS);
    const answer = watched.put('a');
    expect(seen).toEqual(['gateway-before-blob 0']);
    expect(await answer).toBe('kept a');
    expect(seen).toEqual(['gateway-before-blob 0', 'gateway-blob-stored 1']);
    await new Promise(setImmediate);
    expect(seen[2]).toBe('orchestrator-append-sent 1');
    expect(watched.size()).toBe(1);
  });

  test('not after a failure, and not for calls that are not meant', async () => {
    const seen: string[] = [];
    const pass = (point: string): void => void seen.push(point);
    const watched = passingPoints(new Store(), pass, { put: { ...POINTS.put, when: (text: string) => text === 'bad' } });
    await watched.put('good');
    expect(seen).toEqual([]);
    await expect(watched.put('bad')).rejects.toThrow('full');
    await new Promise(setImmediate);
    expect(seen).toEqual(['gateway-before-blob', 'orchestrator-append-sent']);
  });
});
