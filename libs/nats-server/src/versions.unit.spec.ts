import { compareVersions, parseVersion } from './versions.js';

test('versions are compared by number, and a release candidate is older than its release', () => {
  const sorted = ['2.15.0', '2.9.20', '2.14.4', '2.15.0-RC.1', '2.14.10'].sort(compareVersions);
  expect(sorted).toEqual(['2.9.20', '2.14.4', '2.14.10', '2.15.0-RC.1', '2.15.0']);
  expect(compareVersions('2.14.4', '2.14.4')).toBe(0);
});

test('the version is read from what the server prints', () => {
  expect(parseVersion('nats-server: v2.15.1\n')).toBe('2.15.1');
  expect(parseVersion('nats-server: v2.15.0-RC.2')).toBe('2.15.0-RC.2');
  expect(parseVersion('nats-server: version 2.1.0')).toBe('2.1.0');
  expect(parseVersion('something else 1.2.3')).toBeUndefined();
});
