/** Plays the owner of a shard for specs of workers: keeps every command and answers as told. */
import { Command, CommandBatch } from '@cadre/contracts';
import type { Assignment, CallGrant, CallReservation, CommandReply } from '@cadre/contracts';

export type ScriptedAnswer =
  Omit<Extract<CommandReply, { outcome: 'rejected' }>, 'id'> | Omit<Extract<CommandReply, { outcome: 'unavailable' }>, 'id'>;

export class ScriptedOwner {
  static readonly traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  readonly commands: Command[] = [];
  /** Laid over the assignment that `StartAttempt` is answered with. */
  assignment: Partial<Assignment> = {};
  /** Refusals; what it gives nothing for is accepted. */
  reply: (command: Command) => ScriptedAnswer | undefined = () => undefined;

  /** What is answered to a reservation. */
  grant: (call: CallReservation) => CallGrant = ({ key }) => ({ key, grant: 'granted' });

  answer(request: unknown): { replies: CommandReply[] } {
    return { replies: CommandBatch.parse(request).commands.map((raw) => this.answerOne(Command.parse(raw))) };
  }

  of<T extends Command['type']>(type: T): Extract<Command, { type: T }>[] {
    return this.commands.filter((command): command is Extract<Command, { type: T }> => command.type === type);
  }

  private answerOne(command: Command): CommandReply {
    this.commands.push(command);
    const answer = this.reply(command) ?? {
      outcome: 'accepted' as const,
      ...(command.type === 'StartAttempt' && { result: this.assigned(command) }),
      ...(command.type === 'RecordCalls' && { result: { grants: command.reserve.map((call) => this.grant(call)) } }),
    };
    return { id: command.id, ...answer } as CommandReply;
  }

  private assigned(command: Extract<Command, { type: 'StartAttempt' }>) {
    return JSON.parse(
      JSON.stringify({
        runId: command.runId,
        tenant: 'default',
        taskId: command.taskId,
        attempt: command.attempt,
        kind: 'work',
        goal: 'G',
        title: 'T',
        instructions: 'I',
        inputs: [],
        results: [],
        round: 1,
        tools: command.tools,
        deadlineAt: Date.now() + 60_000,
        traceparent: ScriptedOwner.traceparent,
        ...this.assignment,
      }),
    );
  }
}
