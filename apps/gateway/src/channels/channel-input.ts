/** From what comes in about channels to what their desk takes, and from its refusals to problems that name each fault. */
import { CadreError, Channel, ChannelName, ReplyRequest, SendRequest, Subscription, TypePattern } from '@cadre/contracts';
import { ChannelRefusal } from '@cadre/messaging';
import { InputProblem, inputProblem } from '@cadre/service-kit';
import { z } from 'zod';
import { assertStorable } from '../runs/storable.js';

export const MessagesQuery = z.strictObject({
  /** Who listens. */
  as: Subscription.shape.name.default('api'),
  /** Patterns, with commas between them. */
  types: z.string().min(1).max(1000).optional(),
  where: Subscription.shape.where,
  /** Only what a durable channel keeps after this position. */
  after: z.coerce.number({ error: 'must be a whole number' }).int().min(0).optional(),
  /** For JSON: most messages of the answer. */
  limit: z.coerce.number({ error: 'must be a whole number' }).int().min(1).max(1000).default(100),
});
export type MessagesQuery = z.infer<typeof MessagesQuery>;

/** Nobody is told of names that cannot be. @throws CadreError `unknown-channel` */
export function channelNamed(name: string): ChannelName {
  if (ChannelName.safeParse(name).success) return name;
  throw new CadreError('unknown-channel', `There is no channel ${JSON.stringify(name.slice(0, 64))}.`, { remedy: 'see GET /v1/channels' });
}

/** The channel's name in the body may be left out. @param name of the path @throws InputProblem `invalid-request` */
export function parseChannel(value: unknown, name: string): Channel {
  const body = (value ?? {}) as object;
  const channel = parsed(Channel, Array.isArray(body) ? body : { name, ...body }, 'channel');
  if (channel.name === name) return channel;
  throw new InputProblem('invalid-request', `The channel is named ${channel.name}, and was sent to ${name}.`, {
    errors: [{ path: 'name', message: `is not ${name}` }],
    remedy: `send it to /v1/channels/${channel.name}`,
  });
}

/** @throws InputProblem `invalid-request` */
export const parseMessage = (value: unknown): SendRequest => parsed(SendRequest, value ?? {}, 'message');
/** @throws InputProblem `invalid-request` */
export const parseReplyRequest = (value: unknown): ReplyRequest => parsed(ReplyRequest, value ?? {}, 'request');

/** @throws InputProblem `invalid-request` */
export function subscriptionOf({ as: name, types, where }: MessagesQuery): Subscription {
  const patterns =
    types === undefined
      ? undefined
      : parsed(z.strictObject({ types: z.array(TypePattern).max(20) }), { types: types.split(',') }, 'query').types;
  return { name, skills: [], ...(patterns && { types: patterns }), ...(where !== undefined && { where }) };
}

/** The position that a client has seen last, as a browser sends it again. @throws InputProblem `invalid-request` */
export function positionAfter(lastEventId: string | undefined, after: number | undefined): number | undefined {
  if (lastEventId === undefined || lastEventId === '') return after;
  if (/^\d{1,15}$/.test(lastEventId)) return Number(lastEventId);
  throw inputProblem([{ path: ['Last-Event-ID'], message: 'must be the id of a message event: a whole number' }]);
}

/** What the desk refuses is told with each fault. */
export async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ChannelRefusal)) throw error;
    const { code, message, faults: errors, remedy } = error;
    throw new InputProblem(code, message, { errors, ...(remedy === undefined ? {} : { remedy }), cause: error });
  }
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  assertStorable(value);
  const result = schema.safeParse(value);
  if (!result.success) throw inputProblem(result.error.issues, what);
  return result.data;
}
