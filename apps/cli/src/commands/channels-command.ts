/** `cadre channels create|list|remove|send|listen|request`. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  AgentName,
  CadreError,
  CHANNEL_KINDS,
  ChannelName,
  EventType,
  MAX_MESSAGE_WAIT_MS,
  type Channel,
  type ChannelRight,
  type Json,
  type Message,
} from '@cadre/contracts';
import { CadreApiError, type ChannelInput, type HeardMessage, type MessageInput } from '@cadre/sdk';
import { EXIT } from '../exit-codes.js';
import { reasonOf, UsageError } from '../failure.js';
import { oneLine } from '../output/figures.js';
import { table } from '../output/table.js';
import type { Terminal } from '../terminal.js';
import { clientFor, parseDuration, parseFormat, parseJson } from './options.js';

interface CommonFlags {
  url?: string;
  output?: string;
}

export interface CreateFlags extends CommonFlags {
  kind: string;
  durable?: boolean;
  description?: string;
  member?: string[];
  schema?: string;
  check?: string;
  maxMessages?: number;
  maxBytes?: number;
  maxAge?: string;
}

export interface MessageFlags extends CommonFlags {
  from?: string;
  to?: string[];
  data?: string;
  audience?: string;
  answers?: string;
  replyTo?: string;
  id?: string;
  timeout?: string;
}

export interface ListenFlags extends CommonFlags {
  as?: string;
  types?: string;
  where?: string;
  after?: number;
}

export async function createChannel(name: string, flags: CreateFlags, terminal: Terminal): Promise<number> {
  const kind = CHANNEL_KINDS.find((each) => each === flags.kind);
  if (kind === undefined)
    throw new UsageError(`There is no kind of channel ${JSON.stringify(flags.kind)}.`, `Choose one of ${CHANNEL_KINDS.join(', ')}.`);
  const { description, check, maxMessages, maxBytes, maxAge } = flags;
  const channel: ChannelInput = {
    name: parseName(name),
    kind,
    durable: flags.durable === true,
    ...(description === undefined ? {} : { description }),
    ...(flags.member === undefined ? {} : { members: flags.member.map(parseMember) }),
    ...(flags.schema === undefined ? {} : { schema: await readSchema(flags.schema, terminal.cwd) }),
    ...(check === undefined ? {} : { check }),
    limits: {
      ...(maxMessages === undefined ? {} : { messages: maxMessages }),
      ...(maxBytes === undefined ? {} : { messageBytes: maxBytes }),
      ...(maxAge === undefined ? {} : { ageMs: parseDuration(maxAge) }),
    },
  };
  await clientFor(flags.url, terminal).channels.put(channel);
  terminal.err(
    `The channel ${name} is there. To hear what is sent: cadre channels listen ${name}${kind === 'topic' ? " --types '>'" : ''}`,
  );
  return EXIT.ok;
}

export async function listChannels(flags: CommonFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const channels = await clientFor(flags.url, terminal).channels.list();
  if (format === 'json') terminal.out(JSON.stringify({ channels }, null, 2));
  else if (channels.length === 0) terminal.err('There are no channels. Make one with `cadre channels create NAME --kind broadcast`.');
  else {
    const rows = channels.map(({ channel }) => [
      channel.name,
      channel.kind,
      channel.durable ? 'yes' : 'no',
      membersText(channel),
      oneLine(channel.description ?? '', 60),
    ]);
    table(['CHANNEL', 'KIND', 'DURABLE', 'MEMBERS', 'DESCRIPTION'], rows).forEach((line) => terminal.out(line));
  }
  return EXIT.ok;
}

export async function removeChannel(name: string, flags: CommonFlags, terminal: Terminal): Promise<number> {
  await clientFor(flags.url, terminal).channels.remove(parseName(name));
  terminal.err(`The channel ${name} is removed, with the messages that it kept.`);
  return EXIT.ok;
}

export async function sendMessage(name: string, type: string, flags: MessageFlags, terminal: Terminal): Promise<number> {
  const { id, position, repeated } = await clientFor(flags.url, terminal).channels.send(parseName(name), messageOf(type, flags));
  const place = position === undefined ? '' : `, kept at ${position}`;
  terminal.err(repeated ? `Message ${id} was sent before${place}.` : `Message ${id} is sent${place}.`);
  return EXIT.ok;
}

/** The reply goes to stdout: its data, or as JSON all of it. */
export async function requestReply(name: string, type: string, flags: MessageFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const timeoutMs = parseDuration(flags.timeout ?? '10s');
  if (timeoutMs < 1 || timeoutMs > MAX_MESSAGE_WAIT_MS) throw new UsageError(`--timeout is at most ${MAX_MESSAGE_WAIT_MS / 1000}s.`);
  const reply = await clientFor(flags.url, terminal)
    .channels.request(parseName(name), { ...messageOf(type, flags), timeoutMs })
    .catch(told);
  terminal.out(format === 'json' ? JSON.stringify(reply) : dataText(reply.data));
  return EXIT.ok;
}

/** Prints messages until Ctrl-C or until the channel is removed. JSON is one message per line. */
export async function listenToChannel(name: string, flags: ListenFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const { as = 'cli', types, where, after } = flags;
  const abort = new AbortController();
  const release = terminal.onInterrupt(() => abort.abort(new Error('interrupted')));
  const options = {
    as: parseParticipant('--as', as),
    ...(types === undefined ? {} : { types: types.split(',') }),
    ...(where === undefined ? {} : { where }),
    ...(after === undefined ? {} : { after }),
  };
  try {
    for await (const heard of clientFor(flags.url, terminal).channels.listen(parseName(name), { ...options, signal: abort.signal }))
      terminal.out(format === 'json' ? JSON.stringify(heard) : describeMessage(heard));
    terminal.err(`The channel ${name} was removed.`);
    return EXIT.ok;
  } catch (error) {
    if (abort.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    release();
  }
}

function messageOf(type: string, { from = 'cli', to, data, audience, answers, replyTo, id }: MessageFlags): MessageInput {
  if (!EventType.safeParse(type).success)
    throw new UsageError(`${JSON.stringify(type)} is no type of a message.`, 'Write words with dots between them, as in risk.alert.');
  return {
    type,
    from: parseParticipant('--from', from),
    ...(to === undefined ? {} : { to: to.map((each) => parseParticipant('--to', each)) }),
    ...(data === undefined ? {} : { data: parseJson('--data', data, '{"impact": "high"}') }),
    ...(audience === undefined ? {} : { audience }),
    ...(answers === undefined ? {} : { correlationId: answers }),
    ...(replyTo === undefined ? {} : { replyTo: parseName(replyTo) }),
    ...(id === undefined ? {} : { id }),
  };
}

/** Nobody replied: the gateway is well, so it does not count as unreachable. */
function told(error: unknown): never {
  if (!(error instanceof CadreApiError) || error.code !== 'reply-timeout') throw error;
  throw new CadreError(error.code, error.message, error.remedy === undefined ? {} : { remedy: error.remedy });
}

function describeMessage({ position, message }: HeardMessage): string {
  const { at, type, from, to, id, correlationId, data } = message;
  const place = position === undefined ? '' : `${position}  `;
  const whom = to === undefined ? '' : ` to ${to.join(', ')}`;
  const answered = correlationId === undefined ? '' : ` (answers ${correlationId})`;
  return `${place}${new Date(at).toISOString()}  ${oneLine(`${type} from ${from}${whom} [${id}]${answered}: ${dataText(data)}`, 500)}`;
}

const dataText = (data: Message['data']): string => (typeof data === 'string' ? data : JSON.stringify(data));

function membersText({ members }: Channel): string {
  return oneLine(members.map(({ name, rights }) => `${name} (${rights.join(', ')})`).join(', '), 60);
}

function parseName(text: string): string {
  const name = ChannelName.safeParse(text);
  if (name.success) return name.data;
  throw new UsageError(`${JSON.stringify(text)} is no name of a channel.`, 'Write lower-case letters, digits and -, as in discoveries.');
}

function parseParticipant(option: string, text: string): string {
  const name = AgentName.safeParse(text);
  if (name.success) return name.data;
  throw new UsageError(`${option} is ${JSON.stringify(text)}, not a name.`, 'Write lower-case letters, digits and -, as in data-analyst.');
}

const RIGHTS: Record<string, ChannelRight[]> = { send: ['send'], receive: ['receive'], both: ['send', 'receive'] };

/** `name=send`, `name=receive`, `name=both`; the name may be `*`. */
function parseMember(text: string): { name: string; rights: ChannelRight[] } {
  const [name = '', right = ''] = text.split('=');
  const rights = RIGHTS[right];
  if (rights === undefined)
    throw new UsageError(
      `The member ${JSON.stringify(text)} has no right.`,
      "Write --member name=send, =receive or =both; '*' is everybody.",
    );
  return { name: name === '*' ? name : parseParticipant('--member', name), rights };
}

async function readSchema(path: string, cwd: string): Promise<Record<string, Json>> {
  const text = await readFile(resolve(cwd, path), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`The schema ${path} cannot be read: ${reasonOf(error)}.`, 'Check the path given to --schema.');
  });
  try {
    return JSON.parse(text) as Record<string, Json>;
  } catch (error) {
    throw new UsageError(`The schema ${path} is not JSON: ${(error as Error).message}.`);
  }
}
