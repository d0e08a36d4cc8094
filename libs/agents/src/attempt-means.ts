import type { ArtifactRef, Content } from '@cadre/contracts';
import type { AgentMemories, Chance, Clock } from '@cadre/engine';
import type { FileRecord, ModelPort, Tool } from './ports.js';

/** What the loop of an attempt works with. */
export interface AttemptMeans {
  model: ModelPort;
  /** All tools at hand; the assignment says which of them may be called. */
  tools: Tool[];
  /** Of the workspace that the tools write to. */
  files?: FileRecord;
  clock: Clock;
  chance: Pick<Chance, 'random'>;
  /** What agents remember; left out: nothing. */
  memories?: AgentMemories;
  /** The whole text of an earlier answer. */
  readContent(content: Content): Promise<string>;
  /** The text of an earlier task's artifact. Left out: an answer is checked by their names only. */
  readArtifact?(artifact: ArtifactRef): Promise<string>;
}
