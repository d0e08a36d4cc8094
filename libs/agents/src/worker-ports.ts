/** What the worker's state machines need from outside. Production and the simulator give the same things. */
import type { PassCrashPoint } from '@cadre/contracts';
import type { Blobs, Chance, Clock, CommandSender } from '@cadre/engine';

export interface WorkerPorts {
  clock: Clock;
  chance: Chance;
  sender: CommandSender;
  blobs: Blobs;
  /** A digest of the text: at least 32 hex digits, the same in every process. */
  digest(text: string): string;
  /** Called when a named point is passed. */
  at?: PassCrashPoint;
}
