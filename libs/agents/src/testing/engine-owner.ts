/** The owner of a shard for specs of workers: the engine's own rules, in memory. */
import { CadreError } from '@cadre/contracts';
import type { Command, CommandReply, Json, TaskSpecInput } from '@cadre/contracts';
import type { Clock, CommandSender, EndSignal } from '@cadre/engine';
import { EngineRig, RUN_ID } from '@cadre/engine/testing';

export class EngineOwner {
  readonly rig = new EngineRig();
  readonly commands: Command[] = [];

  constructor(private readonly clock: Clock) {}

  start(tasks: TaskSpecInput[], options: Parameters<EngineRig['start']>[1] = {}): void {
    this.rig.now = this.clock.now();
    const decision = this.rig.start(tasks, { summarize: false, ...options });
    if (decision.outcome !== 'accepted') throw new Error(JSON.stringify(decision));
  }

  /**
   * What a worker speaks through. @param pass called before a command is decided and before its answer is given; may throw or never return
   */
  sender(pass: (when: 'sent' | 'decided', command: Command) => Promise<void> = async () => undefined): CommandSender {
    return {
      send: (commands, signal) => {
        const replies = Promise.all(commands.map((command) => this.answer(command as Command, pass)));
        return signal ? orUnanswered(replies, signal) : replies;
      },
    };
  }

  of<T extends Command['type']>(type: T): Extract<Command, { type: T }>[] {
    return this.commands.filter((command): command is Extract<Command, { type: T }> => command.type === type);
  }

  private async answer(command: Command, pass: (when: 'sent' | 'decided', command: Command) => Promise<void>): Promise<CommandReply> {
    await pass('sent', command);
    this.commands.push(command);
    this.rig.now = this.clock.now();
    const { id, runId, ...body } = command;
    const decision = this.rig.send(body as Parameters<EngineRig['send']>[0], runId);
    await pass('decided', command);
    if (decision.outcome === 'rejected') return { id, ...decision };
    // Through JSON, as it comes over the wire.
    const told = decision.result === undefined ? {} : { result: JSON.parse(JSON.stringify(decision.result)) as Json };
    return { id, outcome: decision.outcome, ...told };
  }
}

export { RUN_ID };

function orUnanswered(replies: Promise<CommandReply[]>, signal: EndSignal): Promise<CommandReply[]> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new CadreError('commands-unanswered', 'not answered in time', { retriable: true }));
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    replies.then(resolve, reject);
  });
}
