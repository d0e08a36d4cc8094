/** For specs: a workspace with input files, and the data tools on it. */
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ToolEnvironment } from '@cadre/worker-kit';
import { TOOLS } from '@cadre/contracts';
import type { ToolName, ToolResult } from '@cadre/contracts';
import { Workspace } from '@cadre/worker-kit';
import { dataTools } from '../data-tools.js';
import type { DataLimits } from '../data-tools.js';

export class DataBench {
  private readonly tools;

  private constructor(
    readonly workspace: Workspace,
    limits: DataLimits | undefined,
  ) {
    this.tools = dataTools(limits)(workspace, {} as ToolEnvironment);
  }

  /** @param inputs name under `inputs/` → content */
  static async create(inputs: Record<string, string | Uint8Array>, limits?: DataLimits): Promise<DataBench> {
    const workspace = await Workspace.create(join(tmpdir(), 'cadre-data-specs'));
    const bodies = new Map<string, Uint8Array>();
    const refs = Object.entries(inputs).map(([name, content]) => {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      bodies.set(sha256, bytes);
      return { name, sha256, size: bytes.byteLength, mediaType: 'application/octet-stream' };
    });
    const blobs = { get: async (ref: { sha256: string }) => bodies.get(ref.sha256)! };
    await workspace.materialise(refs, [], blobs as never);
    return new DataBench(workspace, limits);
  }

  /** Runs a tool as the agent loop would, and checks its result against the contract. */
  async call<N extends ToolName>(name: N, args: Record<string, unknown>, signal = new AbortController().signal): Promise<ToolResult<N>> {
    const tool = this.tools.find((candidate) => candidate.name === name)!;
    const result = await tool.run(TOOLS[name].args.parse(args), { signal, key: 'spec' });
    return TOOLS[name].result.parse(JSON.parse(JSON.stringify(result))) as ToolResult<N>;
  }

  /** What the loop does instead of a call that is on record. */
  recall(name: ToolName, args: Record<string, unknown>): void {
    this.tools.find((candidate) => candidate.name === name)!.recall?.(TOOLS[name].args.parse(args), null);
  }

  /** The message of the error that the call ends in. */
  async refusal(name: ToolName, args: Record<string, unknown>): Promise<string> {
    try {
      const result = await this.call(name, args);
      return `no error, but ${JSON.stringify(result).slice(0, 300)}`;
    } catch (error) {
      return (error as Error).message;
    }
  }

  async close(): Promise<void> {
    await this.workspace.remove();
  }
}
