import { Labels, labelText, meetsLabels, whyNoLabels } from './labels.js';

test('what is asked for has to be there, true as a word or as a value; what is there beside it does not matter', () => {
  expect(meetsLabels(undefined, undefined)).toBe(true);
  expect(meetsLabels(undefined, {})).toBe(true);
  expect(meetsLabels(undefined, { gpu: true })).toBe(false);
  expect(meetsLabels({ gpu: 'true', region: 'eu' }, { gpu: true })).toBe(true);
  expect(meetsLabels({ gpu: true }, { gpu: 'true' })).toBe(true);
  expect(meetsLabels({ region: 'us' }, { region: 'eu' })).toBe(false);
  expect(meetsLabels({}, { constructor: 'x' })).toBe(false);
});

test('names and values are plain, and few', () => {
  for (const good of [{}, { gpu: true }, { 'topology.kubernetes.io/zone': 'eu-1a' }]) expect(Labels.safeParse(good).success).toBe(true);
  const many = Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`l${n}`, true]));
  for (const bad of [{ GPU: true }, { gpu: '' }, { gpu: 'a b' }, { gpu: 'a,b' }, { '': 'a' }, { gpu: 1 }, many])
    expect(Labels.safeParse(bad).success).toBe(false);
});

test('what is waited for is said in words', () => {
  expect(labelText({ region: 'eu', gpu: true })).toBe('gpu=true, region=eu');
  const there = [{ gpu: true }, { region: 'eu' }, undefined];
  expect(whyNoLabels(undefined, [])).toBeUndefined();
  expect(whyNoLabels({ gpu: 'true' }, there)).toBeUndefined();
  expect(whyNoLabels({ gpu: true, disk: 'fast' }, there)).toBe('waits for a worker with the label disk=fast; no worker has it');
  expect(whyNoLabels({ disk: 'fast', tpu: true }, [])).toBe('waits for a worker with the labels disk=fast, tpu=true; no worker has them');
  expect(whyNoLabels({ gpu: true, region: 'eu' }, there)).toBe(
    'waits for a worker with the labels gpu=true, region=eu; no worker has them together',
  );
});
