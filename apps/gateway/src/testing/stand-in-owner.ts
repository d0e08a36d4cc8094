/** An owner of shard 0 without a log: remembers runs, answers as a real one does, and can be silent. */
import { CommandBatch, Command, SUBJECTS, type CommandReply } from '@cadre/contracts';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';

type StartRun = Extract<Command, { type: 'StartRun' }>;

export interface OwnedRun {
  start: StartRun;
  status: 'open' | 'completed' | 'cancelled';
}

export class StandInOwner {
  readonly runs = new Map<string, OwnedRun>();
  readonly commands: Command[] = [];
  onStart: (start: StartRun) => void = () => undefined;
  private subscription: Subscription | undefined;

  constructor(private readonly nats: NatsConnection) {}

  start(): void {
    this.subscription = this.nats.subscribe(SUBJECTS.shardCommands(0), {
      callback: (_error, message) => {
        const { commands } = CommandBatch.parse(message.json());
        message.respond(JSON.stringify({ replies: commands.map((each) => this.answer(Command.parse(each))) }));
      },
    });
  }

  stop(): void {
    this.subscription?.unsubscribe();
    this.subscription = undefined;
  }

  private answer(command: Command): CommandReply {
    this.commands.push(command);
    const { id, runId } = command;
    const run = this.runs.get(runId);
    if (command.type === 'StartRun') {
      if (!run) {
        this.runs.set(runId, { start: command, status: 'open' });
        this.onStart(command);
        return { id, outcome: 'accepted', result: { runId } };
      }
      if (run.start.fingerprint === command.fingerprint) return { id, outcome: 'duplicate', result: { runId } };
      return { id, outcome: 'rejected', code: 'run-conflict', message: 'taken' };
    }
    if (!run) return { id, outcome: 'rejected', code: 'unknown-run', message: 'unknown' };
    if (run.status === 'completed') return { id, outcome: 'rejected', code: 'run-ended', message: 'The run has ended (completed).' };
    if (run.status === 'cancelled') return { id, outcome: 'duplicate' };
    run.status = 'cancelled';
    return { id, outcome: 'accepted' };
  }
}
