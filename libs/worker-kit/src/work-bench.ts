/** What all attempts of a worker share. */
import type { ModelPort } from '@cadre/agents';
import type { Blobs, CommandSender } from '@cadre/engine';
import type { ServiceContext } from '@cadre/service-kit';
import type { WorkMeter } from './work-meter.js';
import type { ToolFactory } from './worker-options.js';

export interface WorkBench {
  workerId: string;
  sender: CommandSender;
  blobs: Blobs;
  model: ModelPort;
  tools: ToolFactory;
  /** Folder for the attempts' private folders. */
  workDir: string;
  meter: WorkMeter;
  context: Pick<ServiceContext, 'log' | 'tracing'>;
}
