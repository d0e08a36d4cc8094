/** The data analyst's tools. Each call checks its paths here and does its work in a confined process. */
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CadreError } from '@cadre/contracts';
import type { Anomalies, DataProfile, ToolResult, Trend } from '@cadre/contracts';
import { confinedModule, standardTool } from '@cadre/worker-kit';
import type { ToolFactory, Workspace } from '@cadre/worker-kit';
import type { SourceFile } from './data-process/catalogue.js';
import type { DataOperation, DataRequest } from './data-process/data-process.js';

/** Reading the files counts too, once. */
const LIMITS = { timeMs: 30_000, memoryMb: 2048 };
const DATA_FILE = /\.(csv|tsv|tab|json|geojson|ndjson|jsonl|parquet)$/i;

export interface DataLimits {
  timeMs: number;
  memoryMb: number;
}

/** The tools for one attempt. They share one database, so their calls follow one another. */
export function dataTools(limits: DataLimits = LIMITS): ToolFactory {
  return (workspace) => {
    const desk = new DataDesk(workspace, limits);
    const name = ({ file }: { file: string }) => desk.name(file);
    return [
      standardTool('profile_data', 'none', ({ file }, { signal }) => desk.ask<DataProfile>({ type: 'profile', file }, signal, file), name),
      standardTool('query_data', 'none', ({ sql, limit }, { signal }) =>
        desk.ask<ToolResult<'query_data'>>({ type: 'query', sql, limit }, signal),
      ),
      standardTool(
        'find_trends',
        'none',
        ({ file, time, measure }, { signal }) => desk.ask<Trend>({ type: 'trend', file, time, measure }, signal, file),
        name,
      ),
      standardTool(
        'find_anomalies',
        'none',
        ({ file, measure }, { signal }) => desk.ask<Anomalies>({ type: 'anomalies', file, measure }, signal, file),
        name,
      ),
      standardTool('draw_chart', 'none', async ({ path, ...chart }, { signal }) => {
        if (!path.toLowerCase().endsWith('.svg'))
          throw new CadreError('path-refused', 'A chart is an SVG file: its path must end in .svg.');
        workspace.resolve(path);
        const { svg, points } = await desk.ask<{ svg: string; points: number }>({ type: 'chart', ...chart }, signal);
        return { ...(await workspace.write(path, svg)), points };
      }),
    ];
  };
}

/** Hands the requests of one attempt to the data process, one at a time. */
class DataDesk {
  private last: Promise<unknown> = Promise.resolve();
  private readonly named = new Set<string>();

  constructor(
    private readonly workspace: Workspace,
    private readonly limits: DataLimits,
  ) {}

  /** @param file a workspace path that the operation needs, besides the inputs */
  ask<T>(operation: DataOperation, signal: AbortSignal, file?: string): Promise<T> {
    const turn = this.last.then(() => this.perform<T>(operation, signal, file));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  /** From now on the file is a table of queries. Error `path-refused`. */
  name(file: string): void {
    this.workspace.resolve(file);
    this.named.add(file);
  }

  private async perform<T>(operation: DataOperation, signal: AbortSignal, file: string | undefined): Promise<T> {
    if (file !== undefined) this.name(file);
    const folder = join(this.workspace.scratch, 'data');
    await mkdir(folder, { recursive: true });
    const request: DataRequest = { folder, files: await this.sources(), operation };
    return confinedModule<T>({
      module: new URL('./data-process/data-process.js', import.meta.url),
      request,
      cwd: folder,
      ...this.limits,
      signal,
      what: 'The work on the data',
    });
  }

  /** The run's data files, and those that a call has named. Listing leaves out links, so that none can lead out. */
  private async sources(): Promise<SourceFile[]> {
    const files = (await this.workspace.list()).filter(
      ({ path, origin }) => this.named.has(path) || (origin === 'input' && DATA_FILE.test(path)),
    );
    return Promise.all(
      files.map(async ({ path, size }) => {
        const absolute = this.workspace.resolve(path);
        return { path, absolute, stamp: `${size} ${(await stat(absolute)).mtimeMs}` };
      }),
    );
  }
}
