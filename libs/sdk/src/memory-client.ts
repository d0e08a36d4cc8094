/** What agents remember, over HTTP. */
import { MemoryView } from '@cadre/contracts';
import type { HttpExchange } from './http-exchange.js';
import { search } from './request-parts.js';

/** Errors as of `CadreClient`; 404 `not-found` when there is nothing. */
export class MemoryClient {
  constructor(private readonly http: HttpExchange) {}

  /** @param runId left out: the memory of all runs, of an agent whose memory spans them */
  get(agent: string, runId?: string): Promise<MemoryView> {
    return this.http.json(pathOf(agent, runId), MemoryView);
  }

  /** @returns what the agent remembered until then. Not sent again by itself: a second one may find nothing */
  clear(agent: string, runId?: string): Promise<MemoryView> {
    return this.http.json(pathOf(agent, runId), MemoryView, { method: 'DELETE' });
  }
}

const pathOf = (agent: string, runId: string | undefined): string => `/v1/agents/${encodeURIComponent(agent)}/memory${search({ runId })}`;
