import { ChannelList, KeptChannel } from '@cadre/contracts';
import { ChannelRegistry } from '@cadre/messaging';
import { Controller, Delete, Get, HttpCode, Param, Put, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Described } from '../api-docs/described.js';
import { EXAMPLES } from '../api-docs/examples.js';
import { DEFAULT_TENANT } from '../tenant.js';
import { channelNamed, parseChannel, told } from './channel-input.js';

@ApiTags('Channels')
@Controller('v1/channels')
export class ChannelsController {
  constructor(private readonly registry: ChannelRegistry) {}

  @Get()
  @Described({
    summary: 'List channels',
    ok: { status: 200, description: 'All of them, by name', schema: ChannelList, example: EXAMPLES.channels },
    problems: [503],
  })
  async list(): Promise<ChannelList> {
    return { channels: await this.registry.list(DEFAULT_TENANT) };
  }

  @Get(':name')
  @Described({
    summary: 'Get a channel',
    ok: { status: 200, description: 'Its definition', schema: KeptChannel, example: EXAMPLES.keptChannel },
    problems: [404, 503],
  })
  get(@Param('name') name: string): Promise<KeptChannel> {
    return this.registry.get(DEFAULT_TENANT, channelNamed(name));
  }

  @Put(':name')
  @Described({
    summary: 'Make or change a channel',
    description:
      'Members and their rights, schema, check and limits hold for what is sent from then on; who listens and has lost the right to receive is cut off. The kind of a channel, and whether it is durable, cannot be changed.',
    ok: { status: 201, description: 'The new channel', schema: KeptChannel, example: EXAMPLES.keptChannel },
    also: { status: 200, description: 'It was there, and is now as given', schema: KeptChannel },
    problems: [400, 409, 413, 422, 503],
  })
  async put(
    @Param('name') name: string,
    @Req() http: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<KeptChannel> {
    const { kept, isNew } = await told(this.registry.put(DEFAULT_TENANT, parseChannel(http.body, name)));
    void reply.status(isNew ? 201 : 200);
    return kept;
  }

  @Delete(':name')
  @HttpCode(204)
  @Described({
    summary: 'Remove a channel',
    description: 'With the messages that it keeps. Who listens to it is told so, and cut off.',
    ok: { status: 204, description: 'It is gone' },
    problems: [404, 503],
  })
  remove(@Param('name') name: string): Promise<void> {
    return this.registry.remove(DEFAULT_TENANT, channelNamed(name));
  }
}
