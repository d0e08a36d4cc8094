import { INLINE_LIMIT_BYTES, utf8Bytes } from '@cadre/contracts';
import { EngineRig, result, task } from '../testing/engine-rig.js';

const ref = (name: string, digit: string) => ({ name, sha256: digit.repeat(64), size: 1, mediaType: 'text/plain' });
const textOf = (rig: EngineRig): string => {
  const { answer } = rig.run();
  return answer && 'text' in answer ? answer.text : '';
};

describe('the answer of a run', () => {
  test('is that of the answer task', () => {
    const rig = new EngineRig();
    rig.start([task('a')]);
    rig.complete('a');
    rig.complete('answer', result('forty-two'));
    expect(rig.run()).toMatchObject({ status: 'completed', answer: { text: 'forty-two' }, partial: false });
  });

  test('without an answer task it lists the results; a single one is passed on whole', () => {
    const rig = new EngineRig();
    rig.start([task('a', { title: 'First' }), task('b', { title: 'Second' })], { summarize: false });
    rig.complete('a', result('one'));
    rig.complete('b', result('two'));
    expect(textOf(rig)).toBe('## First\n\none\n\n## Second\n\ntwo');
    const single = new EngineRig();
    single.start([task('a')], { summarize: false });
    const answer = { ref: { sha256: 'a'.repeat(64), size: 20_000, mediaType: 'text/markdown' }, preview: 'long' };
    single.complete('a', result('', { answer }));
    expect(single.run().answer).toEqual(answer);
  });

  test('names what is missing: what the answer accounts for, else what the tasks say', () => {
    const accounted = new EngineRig();
    accounted.start([task('a')]);
    accounted.complete('a', result('one', { missing: ['with cream'] }));
    accounted.complete('answer', result('> **Not done:** in French', { missing: ['in French'] }));
    expect(accounted.run()).toMatchObject({ status: 'completed', partial: true, missing: ['in French'] });
    const plain = new EngineRig();
    plain.start([task('a', { title: 'First' }), task('b', { title: 'Second' })], { summarize: false });
    plain.complete('a', result('one', { missing: ['with cream'] }));
    plain.complete('b', result('two'));
    expect(plain.run()).toMatchObject({ partial: true, missing: ['with cream'] });
    expect(textOf(plain)).toBe('> **Not done:** with cream\n\n## First\n\none\n\n## Second\n\ntwo');
    expect([accounted, plain].flatMap((rig) => rig.violations({ finished: true }))).toEqual([]);
  });

  test('when the answer task fails the results speak for themselves', () => {
    const rig = new EngineRig();
    rig.start([task('a', { title: 'First' })]);
    rig.complete('a', result('one'));
    rig.fail('answer');
    expect(rig.run()).toMatchObject({ status: 'completed', partial: false });
    expect(textOf(rig)).toBe('> No summary could be written (it broke); these are the results as they came.\n\n## First\n\none');
  });

  test('says what failed, and stays within the limit of inline texts', () => {
    const rig = new EngineRig();
    const many = Array.from({ length: 12 }, (_, i) => task(`t${i}`, { title: `Task ${i} ${'ü'.repeat(150)}` }));
    rig.start([task('bad', { title: 'Bad' }), ...many], { summarize: false, continueOnFailure: true });
    rig.fail('bad');
    for (const { id } of many) rig.complete(id, result('é'.repeat(8000)));
    const text = textOf(rig);
    expect(text).toContain('**Partial result.** 1 of 13 tasks did not succeed:\n> - Bad: it broke');
    expect(text).toContain('(shortened');
    expect(utf8Bytes(text)).toBeLessThanOrEqual(INLINE_LIMIT_BYTES);
    expect(utf8Bytes(text)).toBeGreaterThan(INLINE_LIMIT_BYTES / 2);
    expect(text.match(/^## Task/gm)).toHaveLength(12);
  });

  test('names a result by reference with its preview', () => {
    const rig = new EngineRig();
    rig.start([task('a'), task('b')], { summarize: false });
    rig.complete(
      'a',
      result('', { answer: { ref: { sha256: 'a'.repeat(64), size: 20_000, mediaType: 'text/plain' }, preview: 'It begins' } }),
    );
    rig.complete('b', result('two'));
    expect(textOf(rig)).toContain('## a\n\nIt begins\n\n… (shortened');
  });
});

test('artifacts of all tasks go with the run; a later version replaces an earlier one', () => {
  const rig = new EngineRig();
  rig.start([task('b', { dependsOn: ['a'] }), task('a')], { summarize: false });
  rig.complete('a', result('', { artifacts: [ref('x.md', 'a'), ref('y.md', 'b')] }));
  rig.now += 5;
  rig.complete('b', result('', { artifacts: [ref('x.md', 'c')] }));
  expect(rig.run().artifacts).toEqual([ref('x.md', 'c'), ref('y.md', 'b')]);
});
