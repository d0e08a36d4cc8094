/** Identifiers, NATS names, and shared values. */
import fc from 'fast-check';
import { AgentName, makeRunId, RunId, shardName, shardOf, TaskId, TenantId, WorkerId } from './ids.js';
import { BUCKETS, STREAMS, SUBJECTS } from './subjects.js';
import { addUsage, BlobRef, Content, Failure, Json, NO_USAGE, Timestamp, Traceparent, Usage, utf8Bytes, WorkspacePath } from './values.js';

const accepts = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) => schema.safeParse(value).success;
const shards = fc.integer({ min: 0, max: 99 });

describe('run ids', () => {
  test('carry their shard', () => {
    fc.assert(
      fc.property(shards, fc.uuid(), (shard, uuid) => {
        const id = makeRunId(shard, uuid);
        expect(RunId.parse(id)).toBe(id);
        expect(shardOf(id)).toBe(shard);
        expect(id.slice(1, 3)).toBe(shardName(shard));
      }),
    );
  });

  test.each([
    '',
    'r0-00000000-0000-7000-8000-000000000000',
    'R00-00000000-0000-7000-8000-000000000000',
    'r00-00000000-0000-7000-8000-00000000000A',
    'r00-00000000-0000-7000-8000-000000000000\n',
    ' r00-00000000-0000-7000-8000-000000000000',
    'r00-00000000000070008000000000000000',
    'r000-00000000-0000-7000-8000-000000000000',
  ])('%j is none', (text) => expect(accepts(RunId, text)).toBe(false));
});

test.each([
  ['TaskId', TaskId, ['a', 'Profile_data-2', 'a'.repeat(64)], ['', '1a', '-a', 'a.b', 'a b', 'ä', 'a'.repeat(65), 'a\n']],
  ['TenantId', TenantId, ['default', '0', 'a-b', 'a'.repeat(40)], ['', '-a', 'A', 'a.b', 'a_b', '*', '>', 'a b', 'a'.repeat(41)]],
  ['WorkerId', WorkerId, ['w', 'Data_1-2'], ['', 'a.b', '*', '>', 'a b', 'a'.repeat(81)]],
  ['AgentName', AgentName, ['planner', 'a-1'], ['', 'A', '1a', 'a_b', 'a.b', 'a'.repeat(65)]],
] as const)('%s', (_name, schema, right, wrong) => {
  expect(right.filter((text) => !accepts(schema, text))).toEqual([]);
  expect(wrong.filter((text) => accepts(schema, text))).toEqual([]);
});

describe('NATS names', () => {
  test('are those that the architecture names', () => {
    expect([STREAMS.log(3), STREAMS.ingress, STREAMS.events, STREAMS.dead]).toEqual([
      'CADRE_LOG_03',
      'CADRE_INGRESS',
      'CADRE_EVENTS',
      'CADRE_DEAD',
    ]);
    const buckets = {
      leases: 'cadre_leases',
      blobs: 'cadre_blobs',
      definitions: 'cadre_defs',
      context: 'cadre_context',
      channels: 'cadre_channels',
      results: 'cadre_results',
      agents: 'cadre_agents',
    };
    expect(BUCKETS).toEqual(buckets);
    expect(STREAMS.messages).toBe('CADRE_MESSAGES');
    expect(SUBJECTS.passing('broadcast', 'default', 'news', '0a')).toBe('cadre.bc.default.news.0a');
    expect(SUBJECTS.message('default', 'news', '0a', 'm1')).toBe('cadre.msg.default.news.0a.m1');
    expect(SUBJECTS.log(0)).toBe('cadre.log.00');
    expect(SUBJECTS.shardCommands(12)).toBe('cadre.shard.12.cmd');
    expect(SUBJECTS.ingress('default', 'run.start')).toBe('cadre.in.default.run.start');
    expect(SUBJECTS.events('default', 'r00-x')).toBe('cadre.ev.default.r00-x');
    expect(SUBJECTS.heartbeat('w1')).toBe('cadre.hb.w1');
    expect(SUBJECTS.offers('w1', 'e1')).toBe('cadre.agent.w1.e1.offer');
    expect(SUBJECTS.cancels('w1')).toBe('cadre.agent.w1.cancel');
  });

  test('a valid id is one token, so it cannot reach another subject', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{1,80}$/), fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,39}$/), (worker, tenant) => {
        expect(WorkerId.parse(worker).split('.')).toHaveLength(1);
        expect(SUBJECTS.heartbeat(worker).split('.')).toHaveLength(3);
        expect(SUBJECTS.events(TenantId.parse(tenant), 'r').split('.')).toHaveLength(4);
      }),
    );
  });

  test('wildcards cover what they stand for', () => {
    const covers = (pattern: string, subject: string) =>
      new RegExp(`^${pattern.replace(/\./g, '\\.').replace('*', '[^.]+').replace('>', '.+')}$`).test(subject);
    expect(covers(SUBJECTS.heartbeats, SUBJECTS.heartbeat('w1'))).toBe(true);
    expect(covers(SUBJECTS.ingressAll, SUBJECTS.ingress('default', 'run.start'))).toBe(true);
    expect(covers(SUBJECTS.eventsAll, SUBJECTS.events('default', 'r00-x'))).toBe(true);
    expect(covers(SUBJECTS.deadAll, SUBJECTS.dead('ingress'))).toBe(true);
  });
});

describe('utf8Bytes', () => {
  test('is the length that an encoder gives, for any text, lone surrogates left out', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => expect(utf8Bytes(text)).toBe(Buffer.byteLength(text))));
  });

  test.each([
    ['', 0],
    ['a', 1],
    ['\u007f\u0080', 3],
    ['é', 2],
    ['\u07ff\u0800', 5],
    ['€', 3],
    ['😀', 4],
    ['\ud800', 3],
    ['\udc00', 3],
    ['a\ud800', 4],
  ])('%j has %i bytes', (text, bytes) => expect(utf8Bytes(text)).toBe(bytes));
});

describe('workspace paths', () => {
  const right = [
    'a',
    'report.md',
    'src/report.ts',
    'charts/a b (1).svg',
    'a..b',
    'a.',
    '-x',
    '_',
    'inputs/@data+1,2=3.csv',
    `${'d/'.repeat(99)}ab`,
  ];
  const wrong = [
    '',
    '.',
    '..',
    './a',
    '../a',
    'a/..',
    'a/../b',
    'a/./b',
    'a/..b',
    '/',
    '/etc/passwd',
    '//a',
    'a//b',
    'a/',
    '..\\a',
    'a\\b',
    'C:\\a',
    'C:a',
    '.git/config',
    '.git',
    '.env',
    'a/.git/config',
    'a/.hidden',
    '~/a',
    '$HOME/a',
    '%2e%2e/a',
    'a\0b',
    'a\nb',
    'a\n',
    'a;b',
    'a|b',
    'a`b`',
    "a'b",
    'a"b',
    'a*b',
    'a?b',
    'ü.csv',
    '．．/a',
    'a\u2215b',
    'a'.repeat(201),
    7,
    null,
  ];
  test.each(right)('%j is one', (path) => expect(WorkspacePath.parse(path)).toBe(path));
  test.each(wrong.map((path) => [path]))('%j is none', (path) => expect(accepts(WorkspacePath, path)).toBe(false));

  test('no path leads out of its folder, whatever the text', () => {
    const parts = fc.constantFrom('.', '..', '/', '\\', 'a', 'b.c', '.git', ' ', '%2e', '\0', '\n', '~');
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 8 }), (pieces) => {
        const path = pieces.join('');
        if (!accepts(WorkspacePath, path)) return;
        const resolved = new URL(path.split('/').map(encodeURIComponent).join('/'), 'file:///workspace/').pathname;
        expect(resolved).toMatch(/^\/workspace\/[^/.]/);
        expect(path.split('/').every((part) => part !== '' && !part.startsWith('.'))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('shared values', () => {
  test('usage adds up, and nothing used changes nothing', () => {
    const usages = fc.record({
      modelCalls: fc.nat(),
      toolCalls: fc.nat(),
      inputTokens: fc.nat(),
      outputTokens: fc.nat(),
      costMicros: fc.nat(),
    });
    fc.assert(
      fc.property(usages, usages, (a, b) => {
        expect(addUsage(a, b)).toEqual(addUsage(b, a));
        expect(addUsage(a, NO_USAGE)).toEqual(a);
        expect(addUsage(a, b).costMicros).toBe(a.costMicros + b.costMicros);
      }),
    );
    expect(accepts(Usage, { ...NO_USAGE, costMicros: -1 })).toBe(false);
    expect(accepts(Usage, { ...NO_USAGE, costMicros: 0.5 })).toBe(false);
  });

  test('a content is a text or a reference with a short preview', () => {
    const ref = { sha256: 'a'.repeat(64), size: 20_000, mediaType: 'text/markdown' };
    expect(Content.parse({ text: '' })).toEqual({ text: '' });
    expect(Content.parse({ ref, preview: 'x'.repeat(400) })).toEqual({ ref, preview: 'x'.repeat(400) });
    expect(accepts(Content, { ref, preview: 'x'.repeat(401) })).toBe(false);
    expect(accepts(Content, { ref })).toBe(false);
    expect(accepts(Content, {})).toBe(false);
    expect(accepts(BlobRef, { ...ref, sha256: 'A'.repeat(64) })).toBe(false);
    expect(accepts(BlobRef, { ...ref, size: -1 })).toBe(false);
  });

  test('any JSON is Json, and nothing else is', () => {
    fc.assert(
      fc.property(
        fc.jsonValue().filter((value) => !JSON.stringify(value).includes('__proto__')),
        (value) => expect(Json.parse(value)).toEqual(value),
      ),
    );
    for (const wrong of [undefined, Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1, { a: undefined }])
      expect(accepts(Json, wrong)).toBe(false);
  });

  test('a key that could change a prototype is dropped', () => {
    expect(Json.parse(JSON.parse('{"__proto__":{"admin":true},"a":1}'))).toStrictEqual({ a: 1 });
  });

  test('codes, times and traces', () => {
    expect(accepts(Failure, { code: 'time-out', message: '', retriable: true })).toBe(true);
    expect(accepts(Failure, { code: 'Time out', message: '', retriable: true })).toBe(false);
    expect(accepts(Timestamp, 0)).toBe(true);
    for (const wrong of [-1, 1.5, '1', Number.NaN]) expect(accepts(Timestamp, wrong)).toBe(false);
    expect(accepts(Traceparent, `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`)).toBe(true);
    for (const wrong of [`01-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, `00-${'A'.repeat(32)}-${'b'.repeat(16)}-01`, ''])
      expect(accepts(Traceparent, wrong)).toBe(false);
  });
});
