import { TenantBudgetView, type Problem } from '@cadre/contracts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway({ ANSWER_TIMEOUT_MS: '700' });
});
afterAll(() => gateway.stop());

const path = '/v1/tenants/default/budget';
const get = (of = path) => fetch(gateway.url + of);
const put = (body?: unknown, to = path) =>
  fetch(gateway.url + to, {
    method: 'PUT',
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });

async function refused(response: Response, status: number, code: string): Promise<Problem> {
  const problem = (await response.json()) as Problem;
  expect({ status: response.status, problem }).toMatchObject({ status, problem: { status, code } });
  return problem;
}

test('a cap is set with the owner of the account, shown, and taken away', async () => {
  gateway.monitor.budget = { tenant: 'default', capMicros: null, settledMicros: 700, reservedMicros: 50 };
  expect(TenantBudgetView.parse(await (await get()).json())).toEqual(gateway.monitor.budget);
  const set = await put({ capMicros: 5_000_000 });
  expect([set.status, await set.json()]).toEqual([200, { ...gateway.monitor.budget, capMicros: 5_000_000 }]);
  expect(gateway.owner.accountCommands).toMatchObject([{ type: 'SetTenantBudget', shard: 0, tenant: 'default', capMicros: 5_000_000 }]);
  expect(await (await put({ capMicros: null })).json()).toMatchObject({ capMicros: null });
  expect(gateway.owner.accountCommands.at(-1)).toMatchObject({ capMicros: null });
});

test.each([
  [undefined, 'capMicros'],
  [{}, 'capMicros'],
  [{ capMicros: -1 }, 'capMicros'],
  [{ capMicros: 0.5 }, 'capMicros'],
  [{ capMicros: '5' }, 'capMicros'],
  [{ capMicros: 5, usd: 1 }, 'usd: unknown field'],
  [[], ''],
])('%j is no cap', async (body, word) => {
  const before = gateway.owner.accountCommands.length;
  expect((await refused(await put(body), 400, 'invalid-request')).detail).toContain(word);
  expect(gateway.owner.accountCommands).toHaveLength(before);
});

test("another tenant's budget is neither shown nor set", async () => {
  const before = gateway.owner.accountCommands.length;
  await refused(await get('/v1/tenants/other/budget'), 404, 'not-found');
  await refused(await put({ capMicros: 5 }, '/v1/tenants/other/budget'), 404, 'not-found');
  expect(gateway.owner.accountCommands).toHaveLength(before);
});

test('without an owner the answer is 503, and may be sent again', async () => {
  gateway.owner.stop();
  expect((await refused(await put({ capMicros: 5 }), 503, 'unavailable')).remedy).toContain('same request again');
  gateway.owner.start();
  expect((await put({ capMicros: 5 })).status).toBe(200);
});
