/** An owner of shard 0 without a log: remembers runs, answers as a real one does, and can be silent. */
import { type AccountCommand, CommandBatch, type Command, ShardCommand, SUBJECTS, type CommandReply } from '@cadre/contracts';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';

type StartRun = Extract<Command, { type: 'StartRun' }>;
type AddTasks = Extract<Command, { type: 'AddTasks' }>;
type WakeTask = Extract<Command, { type: 'WakeTask' }>;
type AnswerQuestion = Extract<Command, { type: 'AnswerQuestion' }>;

export interface OwnedRun {
  start: StartRun;
  /** Parts of the plan that came with `AddTasks`. */
  parts: AddTasks[];
  /** Tasks that an event has woken. */
  woken: string[];
  status: 'open' | 'completed' | 'cancelled';
  /** Open questions with what they may be answered with, and the answers given. */
  questions: Map<string, { choices: string[]; answer?: string }>;
}

export class StandInOwner {
  readonly runs = new Map<string, OwnedRun>();
  readonly commands: Command[] = [];
  readonly accountCommands: AccountCommand[] = [];
  onStart: (start: StartRun) => void = () => undefined;
  private subscription: Subscription | undefined;

  constructor(private readonly nats: NatsConnection) {}

  start(): void {
    this.subscription = this.nats.subscribe(SUBJECTS.shardCommands(0), {
      callback: (_error, message) => {
        const { commands } = CommandBatch.parse(message.json());
        message.respond(JSON.stringify({ replies: commands.map((each) => this.take(ShardCommand.parse(each))) }));
      },
    });
  }

  stop(): void {
    this.subscription?.unsubscribe();
    this.subscription = undefined;
  }

  /** Refuses parts with these numbers. */
  readonly refusedParts = new Set<number>();

  private addTasks(command: AddTasks, run: OwnedRun): CommandReply {
    const { id, part } = command;
    if (run.status !== 'open') return { id, outcome: 'rejected', code: 'run-ended', message: 'The run has ended.' };
    if (this.refusedParts.has(part)) return { id, outcome: 'rejected', code: 'invalid-plan', message: 'not this one' };
    if (part <= run.parts.length + 1) return { id, outcome: 'duplicate' };
    if (part > run.parts.length + 2) return { id, outcome: 'rejected', code: 'not-yet', message: 'one is missing' };
    run.parts.push(command);
    return { id, outcome: 'accepted' };
  }

  private take(command: ShardCommand): CommandReply {
    if ('runId' in command) return this.answer(command);
    this.accountCommands.push(command);
    return { id: command.id, outcome: 'accepted', result: { drawnMicros: {} } };
  }

  private answer(command: Command): CommandReply {
    this.commands.push(command);
    const { id, runId } = command;
    const run = this.runs.get(runId);
    if (command.type === 'StartRun') {
      if (!run) {
        this.runs.set(runId, { start: command, parts: [], woken: [], status: 'open', questions: new Map() });
        this.onStart(command);
        return { id, outcome: 'accepted', result: { runId } };
      }
      if (run.start.fingerprint === command.fingerprint) return { id, outcome: 'duplicate', result: { runId } };
      return { id, outcome: 'rejected', code: 'run-conflict', message: 'taken' };
    }
    if (!run) return { id, outcome: 'rejected', code: 'unknown-run', message: 'unknown' };
    if (command.type === 'AddTasks') return this.addTasks(command, run);
    if (command.type === 'AnswerQuestion') return answerQuestion(command, run);
    if (command.type === 'WakeTask') return wakeTask(command, run);
    if (run.status === 'completed') return { id, outcome: 'rejected', code: 'run-ended', message: 'The run has ended (completed).' };
    if (run.status === 'cancelled') return { id, outcome: 'duplicate' };
    run.status = 'cancelled';
    return { id, outcome: 'accepted' };
  }
}

/** Each task once; only events whose data is not `small` are wanted. */
function wakeTask({ id, taskId, event }: WakeTask, run: OwnedRun): CommandReply {
  if (event?.data === 'small') return { id, outcome: 'rejected', code: 'not-awaited', message: 'not this one' };
  if (event?.data === 'long') return { id, outcome: 'rejected', code: 'invalid-command', message: 'The event is too long.' };
  if (run.woken.includes(taskId)) return { id, outcome: 'duplicate' };
  run.woken.push(taskId);
  return { id, outcome: 'accepted' };
}

function answerQuestion({ id, tenant, questionId, choice }: AnswerQuestion, run: OwnedRun): CommandReply {
  if (run.start.tenant !== tenant) return { id, outcome: 'rejected', code: 'forbidden', message: "another tenant's run" };
  const question = run.questions.get(questionId);
  if (question?.answer === choice) return { id, outcome: 'duplicate' };
  if (!question || question.answer !== undefined || !question.choices.includes(choice))
    return { id, outcome: 'rejected', code: 'unknown-question', message: 'no such open question, or not such a choice' };
  question.answer = choice;
  return { id, outcome: 'accepted' };
}
