/** Agents that are defined at run time. Errors of all methods: as those of `CadreClient`. */
import { AgentRemoved, AgentView, WorkerList, type DefinedAgent } from '@cadre/contracts';
import type { z } from 'zod';
import type { HttpExchange } from './http-exchange.js';
import { JSON_BODY, repeated, search } from './request-parts.js';

export type DefinedAgentInput = z.input<typeof DefinedAgent>;

const path = (name: string): string => `/v1/agents/${encodeURIComponent(name)}`;

/** Changes are sent again when the gateway cannot answer for the moment, three times at most. */
export class AgentsClient {
  constructor(private readonly http: HttpExchange) {}

  /** The workers with their own agents, the templates that they offer, and what was defined from these or removed again. */
  list(options: { signal?: AbortSignal } = {}): Promise<WorkerList> {
    return this.http.json('/v1/agents', WorkerList, options);
  }

  /** Error: 404 `unknown-agent` */
  get(name: string): Promise<AgentView> {
    return this.http.json(path(name), AgentView);
  }

  /**
   * Defines an agent, or changes one; the same again changes nothing. Workers that offer its template have it at once. Errors: 422
   * `unprocessable` that names what the template does not allow, 409 `name-taken` and `agent-limit`.
   */
  define(name: string, definition: DefinedAgentInput): Promise<AgentView> {
    const body = JSON.stringify(definition);
    return repeated(3, () => this.http.json(path(name), AgentView, { method: 'PUT', headers: JSON_BODY, body }));
  }

  /**
   * Removes an agent; what it has begun is done by others. May be repeated, also to say later to whom its tasks go. Errors: 404
   * `unknown-agent`, 422 when nobody of the name is there.
   * @param options.handTo who gets the tasks that ask for it by name; without it they wait
   */
  remove(name: string, options: { handTo?: string } = {}): Promise<AgentRemoved> {
    return repeated(3, () => this.http.json(`${path(name)}${search(options)}`, AgentRemoved, { method: 'DELETE' }));
  }
}
