/** Where an orchestrator can be made to die: all that it does to a shard goes through the shard's log. */
import type { Block, PassCrashPoint } from '@cadre/contracts';
import type { ShardLog } from '@cadre/engine';
import { passingPoints } from '@cadre/service-kit';

/** The log itself when no point is set. */
export function crashingLog(log: ShardLog, pass: PassCrashPoint | undefined): ShardLog {
  const claims = passingPoints(log, pass, { append: { after: 'orchestrator-claimed', when: (block: Block) => block.kind === 'claim' } });
  return passingPoints(claims, pass, {
    append: {
      before: 'orchestrator-decided',
      sent: 'orchestrator-append-sent',
      after: 'orchestrator-block-stored',
      when: (block: Block) => block.kind === 'commits',
    },
    saveSnapshot: { before: 'orchestrator-before-snapshot', after: 'orchestrator-snapshot-saved' },
    trim: { after: 'orchestrator-log-trimmed' },
  });
}
