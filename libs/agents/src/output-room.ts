/** How many tokens a model may write in one turn. */
import type { AgentDefinition } from '@cadre/contracts';

const USUAL = 8192;
/** Where the definition says nothing: as much as most models can write. */
const MOST = 32_768;

export class OutputRoom {
  private tokens: number;
  private readonly most: number;

  constructor({ maxOutputTokens }: AgentDefinition['limits']) {
    this.tokens = maxOutputTokens ?? USUAL;
    this.most = maxOutputTokens ?? MOST;
  }

  get left(): number {
    return this.tokens;
  }

  /** After a turn that was cut off. @returns whether there is more room now */
  raise(): boolean {
    const before = this.tokens;
    this.tokens = Math.min(this.most, before * 2);
    return this.tokens > before;
  }
}
