/** Command requests: the sender's side and the owner's. Every owner that listens gets a request; the first answer counts. */
import type { CommandReply, ShardCommand } from '@cadre/contracts';
import type { CommandLine, SentCommand, ServeCommands } from '@cadre/engine';
import type { Broker } from '../broker/broker.js';
import type { Wire } from '../wire.js';

const REQUEST_MS = 2000;

export class SimCommandLine implements CommandLine {
  readonly maxCommandBytes = 1023 * 1024;

  constructor(
    private readonly wire: Wire,
    private readonly broker: Broker,
  ) {}

  request(shard: number, batch: readonly SentCommand[]): Promise<readonly CommandReply[]> {
    const commands = batch.map((entry) => entry.json);
    return this.wire.request<readonly CommandReply[]>(
      'commands',
      (answer) => {
        const owners = this.broker.commands.at(String(shard));
        if (owners.length === 0) throw new Error(`shard ${shard} has no owner at the moment`);
        for (const { life, hear } of owners) this.wire.toListener(life, () => hear({ commands, answer }));
      },
      REQUEST_MS,
    );
  }
}

/** Sees a batch as it comes to an owner. @returns what is told of its replies as they leave the owner */
export type WatchBatch = (commands: readonly ShardCommand[]) => (replies: readonly CommandReply[]) => void;

/** Takes batches for an owner. */
export function serveCommands(wire: Wire, broker: Broker, watch: WatchBatch): ServeCommands {
  return async (shard, handle) => {
    const working = new Set<Promise<void>>();
    const stop = broker.commands.listen(String(shard), wire.life, ({ commands, answer }) => {
      const parsed = commands.map((json) => JSON.parse(json) as ShardCommand);
      const left = watch(parsed);
      const work = handle(parsed).then((replies) => {
        left(replies);
        // The way back of an answer is a message of its own, which can get lost.
        void wire.ask('replies', () => answer(replies)).catch(() => undefined);
      });
      working.add(work);
      void work.finally(() => working.delete(work));
    });
    return {
      stop: async () => {
        stop();
        while (working.size > 0) await Promise.all(working);
      },
    };
  };
}
