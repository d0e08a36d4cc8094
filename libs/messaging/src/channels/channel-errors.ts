/** The operating errors of channels, each in one place with its code and remedy. */
import { CadreError, type CadreErrorOptions, type ChannelRight } from '@cadre/contracts';

/** Where it is and what is wrong. */
export interface ChannelFault {
  path: string;
  message: string;
}

/** A refusal that names the faults of what was given. */
export class ChannelRefusal extends CadreError {
  readonly faults: ChannelFault[];

  constructor(code: string, message: string, faults: ChannelFault[], options: CadreErrorOptions = {}) {
    super(code, message, options);
    this.name = 'ChannelRefusal';
    this.faults = faults;
  }
}

export function unknownChannel(name: string): CadreError {
  return new CadreError('unknown-channel', `There is no channel ${JSON.stringify(name.slice(0, 64))}.`, {
    remedy: 'cadre channels list shows those that there are',
  });
}

export function notAllowed(name: string, right: ChannelRight, channel: string): CadreError {
  const act = right === 'send' ? 'send into' : 'receive from';
  return new CadreError('forbidden', `${name} may not ${act} the channel ${channel}.`, {
    remedy: `let it be a member with the right ${right}, or take a channel in which it is one`,
  });
}

export function invalidChannel(faults: ChannelFault[]): ChannelRefusal {
  return new ChannelRefusal('invalid-channel', `The channel cannot work: ${said(faults)}`, faults, {
    remedy: 'correct the fields named under errors',
  });
}

export function channelConflict(name: string, what: string): CadreError {
  return new CadreError('channel-conflict', `The channel ${name} exists, and ${what} cannot be changed.`, {
    remedy: 'remove it first (its messages go with it), or take another name',
  });
}

export function tooManyChannels(limit: number): CadreError {
  return new CadreError('channel-limit', `There are ${limit} channels already, as many as may be.`, {
    remedy: 'remove one that is not used any more',
  });
}

export function invalidMessage(channel: string, faults: ChannelFault[]): ChannelRefusal {
  return new ChannelRefusal('invalid-message', `The channel ${channel} does not take this message: ${said(faults)}`, faults, {
    remedy: 'correct what is named; the definition of the channel says what it takes',
  });
}

export function invalidSubscription(faults: ChannelFault[]): ChannelRefusal {
  return new ChannelRefusal('invalid-request', `The channel cannot be read so: ${said(faults)}`, faults);
}

export function messageTooLarge(bytes: number, limit: number): ChannelRefusal {
  const faults = [{ path: 'data', message: 'too long' }];
  return new ChannelRefusal('message-too-large', `The data take ${bytes} bytes as JSON; the channel takes ${limit}.`, faults, {
    remedy: 'put long material into a file, and its name into the message',
  });
}

export function notKept(channel: string): ChannelRefusal {
  return new ChannelRefusal('invalid-request', `The channel ${channel} keeps no messages; it can only be listened to.`, [], {
    remedy: 'listen to it, or make it with durable: true',
  });
}

export function noReply(channel: string, timeoutMs: number): CadreError {
  return new CadreError('reply-timeout', `Nobody in the channel ${channel} has replied within ${timeoutMs} ms.`, {
    retriable: true,
    remedy: 'see whether somebody listens there, or wait longer',
  });
}

export function channelsUnavailable(cause: unknown): CadreError {
  return new CadreError('store-unavailable', 'The broker of the channels does not answer.', {
    retriable: true,
    remedy:
      'Check that nats-server runs with JetStream, can be reached and has free disk space; with the same id a message may be sent again.',
    cause,
  });
}

function said(faults: ChannelFault[]): string {
  return faults.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
}
