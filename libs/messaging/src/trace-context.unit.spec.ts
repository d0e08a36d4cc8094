import { TraceContext } from './trace-context.js';

const given = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

test('a child keeps the trace and the sampling, and has a span of its own', () => {
  const parent = TraceContext.parse(given);
  const child = parent?.child();
  expect(parent?.format()).toBe(given);
  expect(child?.traceId).toBe(parent?.traceId);
  expect(child?.sampled).toBe(true);
  expect(child?.spanId).not.toBe(parent?.spanId);
  expect(TraceContext.parse(child?.format())?.format()).toBe(child?.format());
});

test.each([
  undefined,
  '',
  'x',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7',
  `${given}-more`,
  given.replace('00-', 'ff-'),
  given.toUpperCase(),
  '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
])('%p is no trace context, and a new trace starts', (text) => {
  expect(TraceContext.parse(text)).toBeUndefined();
  expect(TraceContext.continueOrStart(text).format()).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});

test('a later version of the header is read by its first four fields', () => {
  expect(TraceContext.parse(given.replace('00-', '01-') + '-what-ever')?.traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
});
