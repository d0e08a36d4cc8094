/**
 * Where a scheduler can be made to die: as it reads the logs, makes offers and tells of lost attempts. All is as given when no point is
 * set.
 */
import type { Command, PassCrashPoint } from '@cadre/contracts';
import type { CommandSender, ShardLog, StoredBlock } from '@cadre/engine';
import type { OfferLine } from '@cadre/scheduling';
import { passingPoints } from '@cadre/service-kit';

export function crashingLine(line: OfferLine, pass: PassCrashPoint | undefined): OfferLine {
  return passingPoints(line, pass, { offer: { before: 'scheduler-before-offers', sent: 'scheduler-offers-sent' } });
}

export function crashingSender(sender: CommandSender, pass: PassCrashPoint | undefined): CommandSender {
  const when = ([first]: Command[]) => first?.type === 'LoseAttempt';
  return passingPoints(sender, pass, { send: { before: 'scheduler-before-lose', after: 'scheduler-lose-answered', when } });
}

export function crashingLog(log: ShardLog, pass: PassCrashPoint | undefined): ShardLog {
  if (pass === undefined) return log;
  const tail = (afterSeq: number, signal: AbortSignal) => passingFolds(log.tail(afterSeq, signal), pass);
  return new Proxy(log, {
    get: (of, name) => {
      if (name === 'tail') return tail;
      const value: unknown = Reflect.get(of, name, of);
      return typeof value === 'function' ? value.bind(of) : value;
    },
  });
}

/** Whoever asks for the next block has folded the last one. */
async function* passingFolds(blocks: AsyncIterable<StoredBlock>, pass: PassCrashPoint): AsyncGenerator<StoredBlock> {
  for await (const block of blocks) {
    yield block;
    if (block.block.commits.length > 0) pass('scheduler-block-folded');
  }
}
