import { parseCloudEvent } from './cloud-event.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const event = { specversion: '1.0', id: '1', source: '/shop', type: 'run.start', data: { goal: 'x' } };

test('structured mode, with and without its content type, and with encoded data', () => {
  const text = JSON.stringify(event);
  expect(parseCloudEvent({ data: bytes(text), headers: {} })).toEqual(event);
  expect(
    parseCloudEvent({
      data: bytes(text),
      headers: { 'content-type': 'application/cloudevents+json; charset=utf-8', 'ce-specversion': '1.0' },
    }),
  ).toEqual(event);
  const { data, ...rest } = event;
  const encoded = JSON.stringify({ ...rest, data_base64: Buffer.from(JSON.stringify(data)).toString('base64') });
  expect(parseCloudEvent({ data: bytes(encoded), headers: {} })).toEqual(event);
});

test('binary mode, with percent-encoded attributes and extensions', () => {
  const headers = {
    'ce-specversion': '1.0',
    'ce-id': '1',
    'ce-source': '/caf%C3%A9',
    'ce-type': 'run.start',
    'ce-traceparent': 't',
    'content-type': 'application/json',
  };
  expect(parseCloudEvent({ data: bytes('{"goal":"x"}'), headers })).toEqual({ ...event, source: '/café', traceparent: 't' });
});

const ce = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' };

test.each<[string, string, Record<string, string>, string]>([
  ['no JSON', 'x', {}, 'not JSON'],
  ['no object', '[]', {}, 'not a CloudEvent'],
  ['no id', JSON.stringify({ ...event, id: undefined }), {}, 'id'],
  ['an empty source', JSON.stringify({ ...event, source: '' }), {}, 'source'],
  ['another version', JSON.stringify({ ...event, specversion: '0.3' }), {}, 'specversion'],
  ['no data', JSON.stringify({ ...event, data: undefined }), {}, 'data'],
  ['binary data that is no JSON', '{', ce, 'not JSON'],
  ['binary data of another kind', '<a/>', { ...ce, 'content-type': 'text/xml' }, 'text/xml'],
  ['binary mode without a source', '{}', { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-type': 't' }, 'source'],
])('%s is refused with the reason', (_name, text, headers, word) => {
  expect(() => parseCloudEvent({ data: bytes(text), headers })).toThrow(
    expect.objectContaining({ code: 'malformed-event', message: expect.stringContaining(word) }),
  );
});

test('data that is no UTF-8 is refused', () => {
  expect(() => parseCloudEvent({ data: new Uint8Array([0xff, 0xfe]), headers: {} })).toThrow('not JSON');
});
