/**
 * What both sides of the plain protocol know. Work queues, so that an acknowledged message is gone; three stored messages and two
 * acknowledgements a step.
 */
import { AckPolicy, jetstreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

export const NAMES = { tasks: 'PLAIN_TASKS', results: 'PLAIN_RESULTS', events: 'PLAIN_EVENTS' };
export const SUBJECTS = { task: 'plain.task', result: 'plain.result', event: (run) => `plain.event.${run}` };

/** As many unacknowledged messages as a consumer may have, and how many it asks for at once. */
export const ACK_PENDING = 5000;
export const PULL = 1000;

export function connectPlain(url) {
  return connect({ servers: url, noAsyncTraces: true });
}

export async function makeStreams(nats) {
  const jsm = await jetstreamManager(nats);
  for (const name of Object.values(NAMES)) await jsm.streams.delete(name).catch(() => undefined);
  const shape = { storage: StorageType.File, duplicate_window: 120_000_000_000 };
  const retention = RetentionPolicy.Workqueue;
  await jsm.streams.add({ ...shape, retention, name: NAMES.tasks, subjects: [SUBJECTS.task] });
  await jsm.streams.add({ ...shape, retention, name: NAMES.results, subjects: [SUBJECTS.result] });
  await jsm.streams.add({ ...shape, name: NAMES.events, subjects: [SUBJECTS.event('*')] });
  for (const [stream, durable] of [
    [NAMES.tasks, 'worker'],
    [NAMES.results, 'orchestrator'],
  ]) {
    await jsm.consumers.add(stream, { durable_name: durable, ack_policy: AckPolicy.Explicit, max_ack_pending: ACK_PENDING });
  }
}
