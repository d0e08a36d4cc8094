/**
 * Starts runs by a command to the owner itself, past the gateway: what the owner answers "accepted" must be a commit by that very command.
 */
import { randomUUID } from 'node:crypto';
import { CadreError, makeRunId, RunRequest, StartRun } from '@cadre/contracts';
import { connectNats, NatsCommandSender } from '@cadre/messaging';
import type { RunRequestInput } from '@cadre/sdk';
import type { NatsConnection } from '@nats-io/transport-node';

export class DirectStart {
  readonly acknowledged: { runId: string; commandId: string }[] = [];
  readonly #sender: NatsCommandSender;

  private constructor(private readonly nats: NatsConnection) {
    this.#sender = new NatsCommandSender(nats);
  }

  static async open(natsUrl: string): Promise<DirectStart> {
    return new DirectStart(await connectNats({ url: natsUrl, name: 'chaos-commands' }));
  }

  /** @returns the run's id, once the start is acknowledged */
  async start(request: RunRequestInput): Promise<string> {
    const { goal, inputs, options, plan } = RunRequest.parse(request);
    const [id, runId] = [randomUUID(), makeRunId(0, randomUUID())];
    const command = StartRun.parse({ type: 'StartRun', id, runId, tenant: 'default', goal, inputs, options, plan, fingerprint: runId });
    const [reply] = await this.#sender.send([command], AbortSignal.timeout(40_000));
    if (reply?.outcome === 'rejected') throw new CadreError(reply.code, reply.message);
    this.acknowledged.push({ runId, commandId: id });
    return runId;
  }

  async close(): Promise<void> {
    await this.nats.close();
  }
}
