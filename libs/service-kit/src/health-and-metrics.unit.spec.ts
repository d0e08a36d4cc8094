import { Health } from './health.js';
import { Metrics } from './metrics.js';

test('ready only while serving and while every check passes; a failing check is told', async () => {
  const health = new Health();
  expect(await health.readiness()).toEqual({ ready: false, phase: 'starting', checks: {} });
  health.serving();
  let ok = true;
  const remove = health.register('store', () => ({ ok, detail: 'folder' }));
  expect(await health.readiness()).toEqual({ ready: true, phase: 'serving', checks: { store: { ok: true, detail: 'folder' } } });
  ok = false;
  expect((await health.readiness()).ready).toBe(false);
  remove();
  health.register('broken', () => Promise.reject(new Error('no store')));
  expect(await health.readiness()).toMatchObject({ ready: false, checks: { broken: { ok: false, detail: 'no store' } } });
  health.stopping();
  health.serving();
  expect((await health.readiness()).phase).toBe('stopping');
});

test('metrics are counted under one name, asked for once or twice', async () => {
  const metrics = new Metrics('test');
  metrics.counter('cadre_things_total', 'Things', ['kind']).inc({ kind: 'a' });
  metrics.counter('cadre_things_total', 'Things', ['kind']).inc({ kind: 'a' }, 2);
  metrics.gauge('cadre_depth', 'Depth').set(7);
  metrics.gauge('cadre_read', 'Read at the scrape', [], () => 42);
  metrics.histogram('cadre_duration_seconds', 'Durations').observe(0.2);
  const text = await metrics.text();
  expect(text).toContain('cadre_things_total{kind="a",service="test"} 3');
  expect(text).toContain('cadre_depth{service="test"} 7');
  expect(text).toContain('cadre_read{service="test"} 42');
  expect(text).toContain('cadre_duration_seconds_count{service="test"} 1');
  expect(text).toContain('cadre_process_cpu_seconds_total');
  expect(() => metrics.counter('things', 'x')).toThrow(TypeError);
  expect(() => metrics.gauge('cadre_things_total', 'x')).toThrow(TypeError);
});
