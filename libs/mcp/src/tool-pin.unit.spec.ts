import { AnyToolName } from '@cadre/contracts';
import { freeName, hashOf, whyNotPinned, withPin } from './tool-pin.js';

const tool = (name: string, more: object = {}) => ({ name, description: 'Does it.', inputSchema: { type: 'object' }, ...more });

test('a hash says name, description and schema, whatever the order of their fields', () => {
  const hash = hashOf(tool('a', { inputSchema: { type: 'object', properties: { b: {}, c: {} } } }));
  expect(hashOf(tool('a', { inputSchema: { properties: { c: {}, b: {} }, type: 'object' } }))).toBe(hash);
  for (const other of [
    tool('b'),
    tool('a', { description: 'Does it' }),
    tool('a', { inputSchema: { type: 'object', properties: { b: {} } } }),
  ])
    expect(hashOf(other)).not.toBe(hash);
});

test.each(['read_file', 'get-sum', 'getTinyImage', 'a.b/c', 'x'.repeat(100), '日本', '_', 'ÄÖ', '-a-'])(
  '%s has a name that fits, always the same',
  (name) => {
    const made = freeName('srv', name, new Set());
    expect(AnyToolName.safeParse(made).success).toBe(true);
    expect(made).toMatch(/^srv_/);
    expect(freeName('srv', name, new Set())).toBe(made);
    const second = freeName('srv', name, new Set([made]));
    expect(AnyToolName.safeParse(second).success).toBe(true);
    if (/^srv_[a-z_]+$/.test(made)) expect(second).not.toBe(made);
  },
);

test('names that would be one are told apart; a tool that is approved anew keeps its own', () => {
  let pins = withPin({}, 's', tool('get-sum'));
  pins = withPin(pins, 's', tool('get_sum'));
  pins = withPin(pins, 'read', tool('file'));
  const names = [pins['s']!['get-sum']!.as, pins['s']!['get_sum']!.as, pins['read']!['file']!.as];
  expect(names).toEqual(['s_get_sum', expect.stringMatching(/^s_get_sum_[0-9a-f]{8}$/), expect.stringMatching(/^read_file_[0-9a-f]{8}$/)]);
  const again = withPin(pins, 's', tool('get_sum', { description: 'Other.' }));
  expect(again['s']!['get_sum']).toMatchObject({ as: names[1], description: 'Other.' });
});

test('what is too long to be looked at is not approved', () => {
  expect(whyNotPinned(tool('a'))).toBeUndefined();
  expect(whyNotPinned(tool('a', { description: 'x'.repeat(9000) }))).toMatch(/9000 bytes/);
  expect(whyNotPinned(tool('a', { inputSchema: { x: 'y'.repeat(70_000) } }))).toMatch(/schema/);
});
