import { Channel, TypePattern, type Message } from '@cadre/contracts';
import { addressFaults, assertMay, expressionFaults, isWanted, matchesType, may, passesCheck, reaches } from './channel-rules.js';

const channel = (of: Partial<Channel>): Channel => Channel.parse({ name: 'c', kind: 'broadcast', ...of });
const message = (of: Partial<Message>): Message => ({ id: 'm', channel: 'c', type: 'discovery', from: 'ann', at: 1, data: null, ...of });

describe('rights', () => {
  const { members } = channel({
    members: [
      { name: 'ann', rights: ['send'] },
      { name: 'bob', rights: ['receive'] },
      { name: 'bob', rights: ['send'] },
      { name: '*', rights: ['receive'] },
    ],
  });

  test.each([
    ['ann', 'send', true],
    ['ann', 'receive', true],
    ['bob', 'send', true],
    ['cid', 'receive', true],
    ['cid', 'send', false],
    ['*', 'send', false],
  ] as const)('%s may %s: %s', (name, right, expected) => {
    expect(may(channel({ members }), name, right)).toBe(expected);
  });

  test('a refusal says what is missing', () => {
    expect(() => assertMay(channel({ members }), 'cid', 'send')).toThrow('cid may not send into the channel c.');
  });
});

test.each([
  ['direct', undefined, 'to: in a direct channel a message is for one participant; name it'],
  ['direct', ['bob', 'cid'], 'to: in a direct channel a message is for one participant; name it'],
  ['direct', ['bob'], ''],
  ['direct', ['eve'], 'to[0]: eve may not receive from this channel'],
  ['multicast', undefined, 'to: in a multicast channel a message is for those that it names; name them'],
  ['multicast', ['bob', 'eve', 'cid'], 'to[1]: eve may not receive from this channel'],
  ['broadcast', ['bob'], 'to: in a broadcast channel a message is for everybody; leave it out, or give an audience'],
  ['topic', ['bob'], 'to: in a topic channel a message is for everybody; leave it out, or give an audience'],
  ['topic', undefined, ''],
] as const)('%s to %j: %s', (kind, to, fault) => {
  const members: Channel['members'] = ['bob', 'cid'].map((name) => ({ name, rights: ['receive'] }));
  const faults = addressFaults(channel({ kind, members }), to);
  expect(faults.map(({ path, message: what }) => `${path}: ${what}`).join()).toBe(fault);
});

test.each([
  [{}, 'bob', [], true],
  [{ to: ['bob'] }, 'bob', [], true],
  [{ to: ['bob'] }, 'cid', [], false],
  [{ audience: 'subscriber.name.contains("analyst")' }, 'market-analyst', [], true],
  [{ audience: 'subscriber.name.contains("analyst")' }, 'auditor', [], false],
  [{ audience: '"analysis" in subscriber.skills' }, 'auditor', ['analysis'], true],
  [{ audience: 'subscriber.age > 3' }, 'auditor', [], false],
])('a message %j is for %s with the skills %j: %s', (of, name, skills, expected) => {
  expect(reaches(message(of), { name, skills })).toBe(expected);
});

test.each([
  [{}, true],
  [{ types: ['discovery', 'risk_alert'] }, true],
  [{ types: ['risk_alert'] }, false],
  [{ where: 'message.type == "discovery" && message.data.impact == "high"' }, true],
  [{ where: 'message.data.impact == "low"' }, false],
  [{ where: 'message.data.nothing > 3' }, false],
  [{ where: 'message.data.impact' }, false],
  [{ where: 'message.from == "ann"', types: ['*'] }, true],
])('%j wants it: %s', (subscription, expected) => {
  expect(isWanted(message({ data: { impact: 'high', confidence: 0.9 } }), subscription)).toBe(expected);
});

test.each([
  ['discovery', 'discovery', true],
  ['discovery', 'discovery.market', false],
  ['market.*', 'market.eu', true],
  ['market.*', 'market', false],
  ['market.*', 'market.eu.de', false],
  ['market.>', 'market.eu.de', true],
  ['market.>', 'market', false],
  ['*.alert', 'risk.alert', true],
  ['>', 'anything.at.all', true],
])('%s fits %s: %s', (pattern, type, expected) => {
  expect(matchesType(TypePattern.parse(pattern), type)).toBe(expected);
});

test.each(['', 'a..b', '>.a', 'a.>.b', 'a b', 'a*', '.a'])('%j is no pattern', (pattern) => {
  expect(TypePattern.safeParse(pattern).success).toBe(false);
});

test('a check is over the whole message', () => {
  const strict = channel({ check: 'message.from != "eve" && message.data.confidence >= 0.5' });
  expect(passesCheck(strict, message({ data: { confidence: 0.9 } }))).toBe(true);
  expect(passesCheck(strict, message({ data: { confidence: 0.1 } }))).toBe(false);
  expect(passesCheck(strict, message({ data: {} }))).toBe(false);
  expect(passesCheck(strict, message({ from: 'eve', data: { confidence: 0.9 } }))).toBe(false);
});

test.each([
  [undefined, []],
  ['message.type == "x"', []],
  ['message.type ==', [expect.objectContaining({ path: 'where' })]],
  ['"text"', [expect.objectContaining({ message: expect.stringContaining('a condition is true or false') })]],
  ['message.type.matches("(a+)+")', [expect.objectContaining({ message: expect.stringContaining('not allowed') })]],
])('%s has the faults %j', (expression, faults) => {
  expect(expressionFaults('where', expression)).toEqual(faults);
});
