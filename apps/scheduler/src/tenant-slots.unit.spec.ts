import { SchedulerConfig } from './scheduler.config.js';

const read = (env: Record<string, string>) => SchedulerConfig.safeParse({ NATS_URL: 'nats://127.0.0.1:4222', ...env });

test('slots of tenants, for each and for some', () => {
  expect(read({ TENANT_SLOTS: '20', TENANT_SLOTS_OF: ' acme=50, beta = 0 ' }).data).toMatchObject({
    TENANT_SLOTS: 20,
    TENANT_SLOTS_OF: { acme: 50, beta: 0 },
  });
  expect(read({}).data).toMatchObject({ TENANT_SLOTS_OF: {} });
});

test.each(['acme', 'acme=', '=5', 'acme=many', 'acme=-1', 'acme=10001', 'acme=5;beta=6'])('%s is refused, with what to write', (text) => {
  expect(JSON.stringify(read({ TENANT_SLOTS_OF: text }).error?.issues)).toContain('as in acme=50,beta=5');
});

test('a tenth is kept from tenants that are not alone, unless the setting says otherwise; never all', () => {
  expect(read({}).data?.TENANT_KEPT_PERCENT).toBe(10);
  expect(read({ TENANT_KEPT_PERCENT: '0' }).data?.TENANT_KEPT_PERCENT).toBe(0);
  expect(read({ TENANT_KEPT_PERCENT: '91' }).success).toBe(false);
});
