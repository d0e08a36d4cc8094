import { CadreError, Message, MessageAccepted, MessagePage } from '@cadre/contracts';
import { MessageDesk, type Heard, type Listening, type ListeningEnd } from '@cadre/messaging';
import { Controller, Get, Headers, HttpCode, Param, Post, Query, Req, Res, type BeforeApplicationShutdown } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Described } from '../api-docs/described.js';
import { EXAMPLES } from '../api-docs/examples.js';
import { OpenStreams, wantsJson } from '../feed/open-streams.js';
import { DEFAULT_TENANT } from '../tenant.js';
import { channelNamed, MessagesQuery, parseMessage, parseReplyRequest, positionAfter, subscriptionOf, told } from './channel-input.js';

type Told = Heard | { end: ListeningEnd };

@ApiTags('Channels')
@Controller('v1/channels/:name')
export class MessagesController implements BeforeApplicationShutdown {
  private readonly waiting = new Set<AbortController>();

  constructor(
    private readonly desk: MessageDesk,
    private readonly streams: OpenStreams,
  ) {}

  @Post('messages')
  @HttpCode(202)
  @Described({
    summary: 'Send a message',
    description:
      'In the name of `from`, which must have the right to send. A durable channel keeps it when this is answered, and the same `id` again is the same message. The data take at most 64 KiB as JSON, or what the channel says.',
    ok: { status: 202, description: 'The message is sent', schema: MessageAccepted, example: EXAMPLES.messageAccepted },
    problems: [400, 403, 404, 413, 422, 503],
  })
  send(@Param('name') name: string, @Req() http: FastifyRequest): Promise<MessageAccepted> {
    return told(this.desk.send(DEFAULT_TENANT, channelNamed(name), parseMessage(http.body)));
  }

  @Get('messages')
  @Described({
    summary: 'Listen to a channel',
    description:
      'Server-sent events: the messages for the participant `as`, from now on or, in a durable channel, from a position on. `types` are patterns with commas between them (`*` for any word, `>` for the rest), `where` is an expression over `message`. Each event `message` has a message as `data`, and in a durable channel its position as `id`. An event `end` with a `reason` is the last: `removed`, `not-allowed`, or `overrun` for a listener that is too slow for what passes. With `Accept: application/json` one page of what a durable channel keeps.',
    ok: {
      status: 200,
      description: 'The messages',
      schema: MessagePage,
      example: EXAMPLES.messagePage,
      stream: EXAMPLES.messageStream,
    },
    problems: [400, 403, 404, 503],
  })
  async listen(
    @Param('name') name: string,
    @Query({ schema: MessagesQuery }) query: MessagesQuery,
    @Req() http: FastifyRequest,
    @Res() reply: FastifyReply,
    @Headers('last-event-id') lastEventId?: string,
  ): Promise<void> {
    const channel = channelNamed(name);
    const subscription = subscriptionOf(query);
    const after = positionAfter(lastEventId, query.after);
    if (wantsJson(http)) {
      const page = await told(this.desk.read(DEFAULT_TENANT, channel, subscription, after ?? 0, query.limit));
      await reply.header('cache-control', 'no-store').send(page);
      return;
    }
    const begin = async (signal: AbortSignal) => {
      const from = after === undefined ? {} : { after };
      return heardBy(await told(this.desk.listen(DEFAULT_TENANT, channel, subscription, { ...from, signal })));
    };
    await this.streams.follow(http, reply, begin, frameOf);
  }

  @Post('requests')
  @HttpCode(200)
  @Described({
    summary: 'Send a message and wait for the reply',
    description:
      'The reply is the first message whose `correlationId` is the id of the request, in the same channel or in the one that `replyTo` names. `from` must have the right to send, and to receive where the reply is looked for.',
    ok: { status: 200, description: 'The reply', schema: Message, example: EXAMPLES.message },
    problems: [400, 403, 404, 413, 422, 503, 504],
  })
  async request(
    @Param('name') name: string,
    @Req() http: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Message> {
    const { timeoutMs, ...draft } = parseReplyRequest(http.body);
    const ended = new AbortController();
    reply.raw.once('close', () => ended.abort(new CadreError('request-incomplete', 'The client has not waited for the reply.')));
    this.waiting.add(ended);
    try {
      return await told(this.desk.request(DEFAULT_TENANT, channelNamed(name), draft, { timeoutMs, signal: ended.signal }));
    } finally {
      this.waiting.delete(ended);
    }
  }

  beforeApplicationShutdown(): void {
    const why = new CadreError('unavailable', 'The gateway stops and waits for no reply.', {
      retriable: true,
      remedy: 'ask again, with the same id',
    });
    for (const each of this.waiting) each.abort(why);
  }
}

async function* heardBy(listening: Listening): AsyncGenerator<Told, void, undefined> {
  try {
    for (let heard = await listening.next(); heard !== undefined; heard = await listening.next()) yield heard;
    // A gateway that stops says nothing: clients come back by themselves, to another one.
    if (listening.end !== undefined && listening.end !== 'stopped') yield { end: listening.end };
  } finally {
    listening.close();
  }
}

function frameOf(item: Told): string {
  if ('end' in item) return `event: end\ndata: ${JSON.stringify({ reason: item.end })}\n\n`;
  const id = item.position === undefined ? '' : `id: ${item.position}\n`;
  return `${id}event: message\ndata: ${JSON.stringify(item.message)}\n\n`;
}
