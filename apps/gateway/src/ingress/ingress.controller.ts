/** Events by HTTP: stored in the same stream as those that come by NATS, and handled from there. */
import { CadreError, EventAccepted, EventRequest, HEADERS, SUBJECTS } from '@cadre/contracts';
import { InputProblem, inputProblem, SERVICE_CONTEXT, traceOf, type ServiceContext } from '@cadre/service-kit';
import { jetstream } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { v7 } from 'uuid';
import { Described } from '../api-docs/described.js';
import { EXAMPLES } from '../api-docs/examples.js';
import type { GatewayConfig } from '../gateway.config.js';
import { assertStorable } from '../runs/storable.js';
import { DEFAULT_TENANT } from '../tenant.js';

const ROOM_BYTES = 4096;

@ApiTags('Events')
@Controller('v1/events')
export class IngressController {
  constructor(@Inject(SERVICE_CONTEXT) private readonly context: ServiceContext<GatewayConfig>) {}

  @Post()
  @HttpCode(202)
  @Described({
    summary: 'Send an event',
    description:
      'Wakes the tasks that wait for an event of this type; `run.start` starts a run, with the request as `data`. Answered after the event is stored. The same `id` and `source` again are the same event. An event that nobody wants comes to rest among the dead letters.',
    ok: { status: 202, description: 'The event is stored', schema: EventAccepted, example: EXAMPLES.eventAccepted },
    problems: [400, 413, 503],
  })
  async send(@Req() http: FastifyRequest): Promise<EventAccepted> {
    assertStorable(http.body);
    const parsed = EventRequest.safeParse(http.body ?? {});
    if (!parsed.success) throw inputProblem(parsed.error.issues, 'event');
    const { type, source, id = v7(), data = null } = parsed.data;
    const body = JSON.stringify({ specversion: '1.0', id, source, type, data });
    const { nats } = this.context;
    const most = (nats.info?.max_payload ?? 1024 * 1024) - ROOM_BYTES;
    if (Buffer.byteLength(body) > most) {
      throw new InputProblem('body-too-large', `The event takes ${Buffer.byteLength(body)} bytes; ${most} are allowed.`, {
        errors: [{ path: 'data', message: 'too long' }],
        remedy: 'put long material into a file, and its address into the event',
      });
    }
    const out = headers();
    out.set('content-type', 'application/cloudevents+json');
    out.set(HEADERS.traceparent, traceOf(http).format());
    await jetstream(nats)
      .publish(SUBJECTS.ingress(DEFAULT_TENANT, type), body, { headers: out })
      .catch((cause: unknown) => {
        throw new CadreError('unavailable', 'The broker has not taken the event; it may or may not be stored.', {
          retriable: true,
          remedy: 'send it again with the same id and source',
          cause,
        });
      });
    return { id, source, type };
  }
}
