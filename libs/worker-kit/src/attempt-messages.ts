/**
 * The message tools of one attempt. Who sends and who reads is the agent of the attempt, for its tenant, whatever the model says; what it
 * may do in a channel the message desk knows. The key of a call is the id of its message: an attempt that comes to the call again sends the
 * same message, which a durable channel keeps once.
 */
import type { Tool, ToolContext, Work } from '@cadre/agents';
import { CadreError, type KeptChannel, type Subscription, type ToolArgs, type ToolResult } from '@cadre/contracts';
import { pause } from '@cadre/engine';
import type { Draft, Mailbox, MessageDesk } from '@cadre/messaging';
import { systemClock } from '@cadre/messaging';
import { standardTool } from './standard-tool.js';

export const MESSAGE_TOOLS = ['send_message', 'read_messages', 'request_reply'] as const;

/** What a model gets to read of one answer, in bytes: less than tools may answer. */
const READ_BYTES = 48 * 1024;
/** Channels whose messages are gathered from the beginning; of others, from when they are first read. */
const GATHERED_AHEAD = 50;
/** While the broker does not answer, a message is sent again under the same id, after pauses of this length. */
const SEND_TRIES = 5;
const SEND_PAUSE_MS = 500;

type About = Pick<Work, 'assignment' | 'agent' | 'signal' | 'onClose'>;

export class AttemptMessages {
  private readonly mailboxes = new Map<string, Mailbox>();

  private constructor(
    private readonly desk: MessageDesk,
    private readonly work: About,
  ) {}

  /** Begins to gather what passes for the agent, if it was granted to read. Never rejects: what is wrong is told when a tool is used. */
  static async open(desk: MessageDesk, work: About): Promise<AttemptMessages> {
    const messages = new AttemptMessages(desk, work);
    work.onClose(() => messages.close());
    if (work.assignment.tools.includes('read_messages')) await messages.gatherAhead().catch(() => undefined);
    return messages;
  }

  tools(): Tool[] {
    return [
      standardTool('send_message', 'idempotent', ({ channel, ...args }, context) =>
        this.persistently(context, () => this.desk.send(this.tenant, channel, this.draft(args, context))),
      ),
      standardTool('read_messages', 'none', (args, context) => this.read(args, context)),
      standardTool('request_reply', 'idempotent', async ({ channel, timeoutMs, ...args }, context) => ({
        reply: await this.persistently(context, () =>
          this.desk.request(this.tenant, channel, this.draft(args, context), { timeoutMs, signal: context.signal }),
        ),
      })),
    ];
  }

  private get tenant(): string {
    return this.work.assignment.tenant;
  }

  private draft(args: Omit<ToolArgs<'send_message'>, 'channel'>, { key }: ToolContext): Draft {
    const { runId, taskId, peers } = this.work.assignment;
    const { to } = args;
    if (peers !== undefined && (to === undefined || to.some((name) => !peers.includes(name)))) throw notToPeers(peers);
    return { ...args, id: key, from: this.work.agent.name, runId, taskId };
  }

  private async read(args: ToolArgs<'read_messages'>, { signal }: ToolContext): Promise<ToolResult<'read_messages'>> {
    const { name, skills } = this.work.agent;
    const { types, where } = args;
    const subscription = { name, skills, ...(types && { types }), ...(where !== undefined && { where }) };
    const kept = await this.desk.readable(this.tenant, args.channel, subscription);
    return kept.channel.durable ? this.readKept(args, subscription, signal) : this.readPassing(kept, args, subscription, signal);
  }

  private async readKept(
    { channel, after, limit, waitMs }: ToolArgs<'read_messages'>,
    subscription: Subscription,
    signal: AbortSignal,
  ): Promise<ToolResult<'read_messages'>> {
    const page = (from: number) => this.desk.read(this.tenant, channel, subscription, from, limit, READ_BYTES);
    let found = await page(after);
    if (found.messages.length === 0 && !found.more && waitMs > 0) {
      const listening = await this.desk.listen(this.tenant, channel, subscription, { after: found.next, signal });
      await listening.next(waitMs).finally(() => listening.close());
      found = await page(found.next);
    }
    return { ...found, messages: found.messages.map(({ message }) => message) };
  }

  private async readPassing(
    kept: KeptChannel,
    { limit, waitMs }: ToolArgs<'read_messages'>,
    subscription: Subscription,
    signal: AbortSignal,
  ): Promise<ToolResult<'read_messages'>> {
    const mailbox = await this.mailboxOf(kept);
    const until = performance.now() + waitMs;
    const wake = (): void => mailbox.wake();
    signal.addEventListener('abort', wake, { once: true });
    try {
      for (;;) {
        const { missed, ...found } = mailbox.take(subscription, { messages: limit, bytes: READ_BYTES });
        const leftMs = until - performance.now();
        if (found.messages.length > 0 || missed > 0 || leftMs <= 0) return { ...found, ...(missed > 0 && { missed }) };
        await mailbox.wait(leftMs);
        signal.throwIfAborted();
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  private async gatherAhead(): Promise<void> {
    const all = await this.desk.passing(this.tenant, this.work.agent.name);
    await Promise.all(all.slice(0, GATHERED_AHEAD).map((kept) => this.mailboxOf(kept)));
  }

  private async mailboxOf(kept: KeptChannel): Promise<Mailbox> {
    const { name } = kept.channel;
    const known = this.mailboxes.get(name);
    if (known?.generation === kept.generation) return known;
    known?.close();
    const made = await this.desk.gather(kept, this.work.agent);
    this.mailboxes.set(name, made);
    return made;
  }

  /** Told of a failure, a model would send again under another id, and the message might be there twice. */
  private async persistently<T>({ signal }: ToolContext, send: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await send();
      } catch (error) {
        const again = error instanceof CadreError && error.code === 'store-unavailable' && tries < SEND_TRIES;
        if (!again) throw error;
        await pause(systemClock, SEND_PAUSE_MS, signal);
        signal.throwIfAborted();
      }
    }
  }

  private close(): void {
    for (const mailbox of this.mailboxes.values()) mailbox.close();
    this.mailboxes.clear();
  }
}

/** Whether the attempt was granted any of these tools. */
export function mayMessage({ assignment }: Pick<Work, 'assignment'>): boolean {
  return MESSAGE_TOOLS.some((name) => assignment.tools.includes(name));
}

function notToPeers(peers: readonly string[]): CadreError {
  const remedy =
    peers.length === 0 ? 'This task sends no messages.' : `This task may send messages only to ${peers.join(', ')}: name whom in "to".`;
  return new CadreError('not-a-peer', remedy);
}
