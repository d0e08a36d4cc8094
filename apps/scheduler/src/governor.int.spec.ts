/** The governor over the wire: what workers ask, and what a change of the leader does to the allowance. */
import { FleetGate } from '@cadre/agents';
import { GovernorAnswer, SUBJECTS } from '@cadre/contracts';
import type { GovernorAsk, ModelLimitTable } from '@cadre/contracts';
import { connectNats, requestJson, steadyClock } from '@cadre/messaging';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { governorContract } from '@cadre/scheduling/testing';
import { startService, type RunningService } from '@cadre/service-kit';
import type { NatsConnection } from '@nats-io/transport-node';
import { SchedulerConfig } from './scheduler.config.js';
import { SchedulerModule } from './scheduler.module.js';

let server: RunningNatsServer;
let nats: NatsConnection;
const schedulers: RunningService[] = [];
const governor = {
  ask: (ask: GovernorAsk) => requestJson(nats, SUBJECTS.modelGovernor, ask, { schema: GovernorAnswer, timeoutMs: 1500 }),
};
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function startScheduler(): Promise<void> {
  const service = await startService({
    ...{ name: 'scheduler', schema: SchedulerConfig, ownsProcess: false },
    module: (context) => SchedulerModule.with(context),
    env: { NATS_URL: server.url, CADRE_PROFILE: 'fast', LOG_LEVEL: 'silent' },
  });
  schedulers.push(service);
}

function gate(worker: string, limits: ModelLimitTable, server = 'http://model.test/v1'): FleetGate {
  return new FleetGate({
    ...{ server, limits, worker, governor, clock: steadyClock },
    onWaited: () => undefined,
    onRefused: () => undefined,
  });
}

beforeAll(async () => {
  server = await startNatsServer({ syncAlways: false });
  nats = await connectNats({ url: server.url, name: 'test' });
  await startScheduler();
  await startScheduler();
}, 60_000);
afterAll(async () => {
  await Promise.all(schedulers.map((service) => service.stop()));
  await nats.close();
  await server.stop();
}, 60_000);

governorContract('The scheduler', () => governor);

test('what is no ask is refused with the reason', async () => {
  const asked = governor.ask({ worker: 'a', server: 'x', model: '*', limits: {}, calls: [], ended: [] });
  await expect(asked).rejects.toMatchObject({ code: 'governor-ask-invalid', message: expect.stringContaining('limits') as string });
});

test('two workers share one allowance; when the leader changes it is not granted twice, and calls wait for the next', async () => {
  const limits = { '*': { tokensPerMinute: 1000 } };
  const gates = [gate('one', limits), gate('two', limits)];
  const stop = new AbortController();
  let [made, wanted] = [0, 0];
  const call = (count: number) => {
    for (let n = 0; n < count; n += 1) {
      wanted += 1;
      // Its end is never told, so the bound counts.
      gates[wanted % 2]!.enter({ model: 'm', tokens: 100 }, stop.signal).then(
        () => (made += 1),
        () => undefined,
      );
    }
  };
  call(4);
  for (let waited = 0; made < 4 && waited < 5000; waited += 20) await sleep(20);
  const metrics = await Promise.all(schedulers.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
  const leader = metrics.findIndex((text) => /cadre_scheduler_leader\{[^}]*\} 1/.test(text));
  expect(metrics[leader]).toMatch(/cadre_model_passes_total\{server="http:\/\/model.test\/v1",model="\*".*\} 4/);
  await schedulers.splice(leader, 1)[0]!.stop();
  call(20);
  for (let waited = 0; made < 10 && waited < 10_000; waited += 20) await sleep(20);
  await sleep(1000);
  expect(made).toBe(10);
  stop.abort();
});
