/**
 * Takes events from outside: `run.start` starts a run, every other type starts the workflows that ask for it and wakes the tasks that wait
 * for it. An event is acknowledged after what it brings about is stored; as a run's id comes from the event's source and id, a redelivery
 * arrives at the same run, and a task is woken once by an event. What can never be used is set aside with the reason; what cannot be used
 * now (no orchestrator, no store) comes again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CadreError,
  EventType,
  HEADERS,
  STREAMS,
  SUBJECTS,
  TenantId,
  type IngressEvent,
  type OutsideEvent,
  type PassCrashPoint,
  type WaitingTask,
} from '@cadre/contracts';
import { TraceContext } from '@cadre/messaging';
import type { CounterMetric, Health, Metrics } from '@cadre/service-kit';
import { AckPolicy, jetstream, jetstreamManager, type ConsumerMessages, type JsMsg } from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { HistoryClient } from '../history/history-client.js';
import { runIdOfEvent } from '../runs/run-identity.js';
import type { RunIntake } from '../runs/run-intake.js';
import { parseRunRequest } from '../runs/run-request.js';
import { START_TYPE } from '../workflows/trigger-problems.js';
import type { WorkflowTriggers } from '../workflows/workflow-triggers.js';
import { parseCloudEvent } from './cloud-event.js';
import type { DeadLetters } from './dead-letters.js';

const DURABLE = 'gateway';
const ACK_WAIT_MS = 60_000;
const RETRY_AFTER_MS = 2000;
/**
 * A pull lives so long; two heartbeats missed, four to a pull, and it is made anew: that is how the loss of a consumer's leader is found.
 */
const PULL_MS = 6000;

export interface IngressOptions {
  nats: NatsConnection;
  log: Logger;
  metrics: Metrics;
  health: Health;
  intake: RunIntake;
  history: Pick<HistoryClient, 'waits'>;
  triggers: Pick<WorkflowTriggers, 'take'>;
  dead: DeadLetters;
  /** Events worked on at once. */
  parallel: number;
  /** For crash points. */
  pass?: PassCrashPoint;
}

export class IngressDesk {
  private readonly events: CounterMetric;
  private readonly working = new Set<Promise<void>>();
  private messages: ConsumerMessages | undefined;
  private listening: Promise<void> | undefined;
  private stopping = false;

  constructor(private readonly options: IngressOptions) {
    this.events = options.metrics.counter('cadre_ingress_events_total', 'Events from outside', ['outcome']);
  }

  async start(): Promise<void> {
    await this.ensureConsumer();
    this.options.health.register('ingress', () => (this.messages ? { ok: true } : { ok: false, detail: 'not reading CADRE_INGRESS' }));
    this.listening = this.listen();
  }

  /** Takes no more events and finishes those in hand. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.messages?.stop();
    await this.listening;
    await Promise.all(this.working);
  }

  private async ensureConsumer(): Promise<void> {
    const manager = await jetstreamManager(this.options.nats);
    await manager.consumers.add(STREAMS.ingress, {
      durable_name: DURABLE,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ACK_WAIT_MS),
      max_ack_pending: 1000,
      filter_subject: SUBJECTS.ingressAll,
    });
  }

  private async listen(): Promise<void> {
    while (!this.stopping) {
      try {
        const consumer = await jetstream(this.options.nats).consumers.get(STREAMS.ingress, DURABLE);
        this.messages = await consumer.consume({ max_messages: this.options.parallel, expires: PULL_MS, idle_heartbeat: PULL_MS / 4 });
        if (this.stopping) this.messages.stop();
        for await (const message of this.messages) await this.take(message);
      } catch (error) {
        if (!this.stopping) this.options.log.warn({ err: error }, 'the ingress stream cannot be read; trying again');
      }
      this.messages = undefined;
      if (this.stopping) return;
      await sleep(1000);
      await this.ensureConsumer().catch((error: unknown) => this.options.log.warn({ err: error }, 'the ingress consumer cannot be made'));
    }
  }

  /** Waits only when as many as allowed are in hand. */
  private async take(message: JsMsg): Promise<void> {
    const work = this.handle(message).finally(() => this.working.delete(work));
    this.working.add(work);
    if (this.working.size >= this.options.parallel) await Promise.race(this.working);
  }

  /** Never rejects. */
  private async handle(message: JsMsg): Promise<void> {
    const { log, pass } = this.options;
    try {
      const outcome = await this.carryOut(message);
      pass?.('gateway-before-ingress-ack');
      message.ack();
      if (pass !== undefined) setImmediate(() => pass('gateway-after-ingress-ack'));
      this.events.inc({ outcome });
    } catch (error) {
      const fault = error instanceof CadreError ? error : undefined;
      // Without a code it is our fault, and another release may do better: kept as well, but loudly.
      if (fault?.retriable) {
        log.warn({ err: error, seq: message.seq }, 'an event cannot be handled now; it comes again');
        this.events.inc({ outcome: 'postponed' });
        message.nak(RETRY_AFTER_MS);
      } else await this.setAside(message, fault?.code ?? 'internal', fault?.message ?? String(error), error);
    }
  }

  private async setAside(message: JsMsg, code: string, reason: string, error: unknown): Promise<void> {
    const { log, dead } = this.options;
    try {
      await dead.keep('ingress', message, code, reason);
      message.term(code);
      log.warn(
        { subject: message.subject, seq: message.seq, code, reason, ...(code === 'internal' ? { err: error } : {}) },
        'an event was set aside',
      );
      this.events.inc({ outcome: 'dead' });
    } catch (cause) {
      log.warn({ err: cause, seq: message.seq }, 'an event could not be set aside; it comes again');
      message.nak(RETRY_AFTER_MS);
    }
  }

  /** @throws CadreError: retriable ones for later, others for the dead letters */
  private async carryOut(message: JsMsg): Promise<'accepted' | 'duplicate' | 'handled'> {
    const [, , tenant = '', ...words] = message.subject.split('.');
    const type = words.join('.');
    if (!TenantId.safeParse(tenant).success) throw new CadreError('malformed-event', `${JSON.stringify(tenant)} is no tenant.`);
    if (!EventType.safeParse(type).success) throw new CadreError('malformed-event', `${JSON.stringify(type)} is no type of an event.`);
    const headers = headersOf(message);
    const event = parseCloudEvent({ data: message.data, headers });
    const given = typeof event['traceparent'] === 'string' ? event['traceparent'] : headers[HEADERS.traceparent];
    const trace = TraceContext.continueOrStart(given);
    return type === START_TYPE ? this.startRun(tenant, event, trace) : this.handOn(tenant, type, event, trace);
  }

  private async startRun(tenant: TenantId, event: IngressEvent, trace: TraceContext): Promise<'accepted' | 'duplicate'> {
    const { intake, log } = this.options;
    const request = parseRunRequest(event.data);
    await intake.assertInputsStored(request);
    const runId = runIdOfEvent(tenant, event.source, event.id, intake.shards);
    const reply = await intake.start({ tenant, runId, request, trace, origin: 'event' });
    if (reply.outcome === 'rejected') throw new CadreError(reply.code, reply.message);
    log.info({ runId, source: event.source, eventId: event.id, outcome: reply.outcome }, 'an event from outside started a run');
    return reply.outcome;
  }

  /** Everybody who asks for the event gets it; then the first fault of one of them is told, so that it comes again or is set aside. */
  private async handOn(tenant: TenantId, type: string, event: IngressEvent, trace: TraceContext): Promise<'handled'> {
    const { triggers, log } = this.options;
    const { id, source, data } = event;
    const time = typeof event['time'] === 'string' ? event['time'] : new Date().toISOString();
    const [started, woken] = await Promise.all([
      triggers.take(tenant, { id, type, source, time, data }, trace),
      this.wakeTasks(tenant, { id, type, source, data }, trace),
    ]);
    const faults = [...started.flatMap((each) => ('error' in each ? [each.error] : [])), ...(woken.error ? [woken.error] : [])];
    const fault = faults.find(({ retriable }) => retriable) ?? faults[0];
    const runs = started.flatMap((each) => ('runId' in each ? [each.runId] : []));
    if (runs.length + woken.tasks.length > 0)
      log.info({ runs, woken: woken.tasks, source, eventId: id, type }, 'an event from outside was handed on');
    if (fault !== undefined) throw fault;
    if (runs.length + woken.tasks.length === 0)
      throw new CadreError('no-handler', woken.asked ? `No task that waits for ${type} wants this one.` : `Nothing waits for ${type}.`);
    return 'handled';
  }

  /** Never rejects. `asked`: whether some task waits for such events at all. */
  private async wakeTasks(
    tenant: TenantId,
    event: OutsideEvent,
    trace: TraceContext,
  ): Promise<{ tasks: WaitingTask[]; asked: boolean; error?: CadreError }> {
    const { intake, history } = this.options;
    try {
      const waits = await history.waits(tenant, event.type, trace);
      const replies = await Promise.all(waits.map(({ runId, taskId }) => intake.wake(runId, taskId, event, trace)));
      const unusable = replies.find((reply) => reply.outcome === 'rejected' && reply.code === 'invalid-command');
      const tasks = waits.filter((_, index) => replies[index]?.outcome !== 'rejected');
      const error = unusable?.outcome === 'rejected' ? new CadreError(unusable.code, unusable.message) : undefined;
      return { tasks, asked: waits.length > 0, ...(error && { error }) };
    } catch (cause) {
      const error = cause instanceof CadreError ? cause : new CadreError('internal', String(cause), { cause });
      return { tasks: [], asked: false, error };
    }
  }
}

function headersOf(message: JsMsg): Record<string, string> {
  return Object.fromEntries((message.headers?.keys() ?? []).map((name) => [name.toLowerCase(), message.headers?.last(name) ?? '']));
}
