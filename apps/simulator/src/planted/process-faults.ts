/** Faults of schedulers, workers and users. */
import { shardOfCommand, type Block, type Command, type CommandReply, type ShardCommand } from '@cadre/contracts';
import type { CommandLine, CommandSender, StoredBlock } from '@cadre/engine';
import { logWith, type Plant } from './plant.js';

function without(types: Command['type'][], sender: CommandSender): CommandSender {
  return {
    send: (commands, signal) =>
      commands.some((command) => types.includes(command.type as Command['type']))
        ? new Promise(() => undefined)
        : sender.send(commands, signal),
  };
}

async function* withoutDelayed(blocks: AsyncIterable<StoredBlock>, endsAt: number): AsyncGenerator<StoredBlock> {
  for await (const stored of blocks) yield stored.seq <= endsAt ? { ...stored, block: forgetDelays(stored.block) } : stored;
}

function forgetDelays(block: Block): Block {
  const commits = block.commits.map((commit) => ({
    ...commit,
    events: commit.events.filter((event) => event.type !== 'AttemptScheduled' || event.notBefore <= commit.at),
  }));
  return { ...block, commits };
}

function asksOnce(line: CommandLine): CommandSender {
  return {
    send: (commands) =>
      Promise.all(
        commands.map(async (command) => {
          const [reply] = await line.request(shardOfCommand(command), [{ command, json: JSON.stringify(command) }]).catch(() => []);
          return reply?.outcome === undefined || reply.outcome === 'unavailable' ? new Promise<CommandReply>(() => undefined) : reply;
        }),
      ),
  };
}

/** Reservations are not waited for: they are told, and counted as granted. */
function grantsToItself(sender: CommandSender): CommandSender {
  return {
    send: (commands, signal) => {
      const answers = commands.map((command) => grantOf(command));
      if (answers.some((answer) => answer === undefined)) return sender.send(commands, signal);
      void sender.send(commands, signal).catch(() => undefined);
      return Promise.resolve(answers as CommandReply[]);
    },
  };
}

function grantOf(command: ShardCommand): CommandReply | undefined {
  if (command.type !== 'RecordCalls' || command.reserve.length === 0) return undefined;
  const grants = command.reserve.map(({ key }) => ({ key, grant: 'granted' as const }));
  return { id: command.id, outcome: 'accepted', result: { grants } };
}

async function* withoutLabels(blocks: AsyncIterable<StoredBlock>): AsyncGenerator<StoredBlock> {
  for await (const stored of blocks) yield { ...stored, block: forgetLabels(stored.block) };
}

function forgetLabels(block: Block): Block {
  const commits = block.commits.map((commit) => ({
    ...commit,
    events: commit.events.map((event) =>
      event.type === 'TasksAdded' ? { ...event, tasks: event.tasks.map(({ labels: _, ...task }) => task) } : event,
    ),
  }));
  return { ...block, commits };
}

export const PROCESS_FAULTS: Record<string, Plant> = {
  'delayed attempts are forgotten after a failover': {
    schedulerLog: (log) => {
      let endsAt = 0;
      return logWith(log, {
        lastSeq: async () => (endsAt = await log.lastSeq()),
        tail: (afterSeq, signal) => withoutDelayed(log.tail(afterSeq, signal), endsAt),
      });
    },
  },
  'labels are not looked at': {
    schedulerLog: (log) => logWith(log, { tail: (afterSeq, signal) => withoutLabels(log.tail(afterSeq, signal)) }),
  },
  'deadlines of runs are never looked at': { schedulerSender: (sender) => without(['ExpireRun'], sender) },
  'lost attempts are never given up': { schedulerSender: (sender) => without(['LoseAttempt', 'ExpireAttempt'], sender) },
  'a command is sent once': { clientSender: (_sender, line) => asksOnce(line) },
  'the body of a call is not stored before it is settled': {
    worker: (around) => ({
      ...around,
      blobs: {
        put: async (bytes, mediaType) => ({ sha256: around.digest(String(bytes.length)).padEnd(64, '0'), size: bytes.length, mediaType }),
        get: (ref) => around.blobs.get(ref),
        has: (ref) => around.blobs.has(ref),
      },
    }),
  },
  'calls are made without waiting for their reservation': { worker: (around) => ({ ...around, sender: grantsToItself(around.sender) }) },
  'every life of a worker makes keys of its own': {
    worker: (around, wire) => ({ ...around, digest: (text) => around.digest(`${wire.life.name} ${text}`) }),
  },
};
