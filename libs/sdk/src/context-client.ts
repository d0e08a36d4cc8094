/** The context store over HTTP: artifacts that outlive a run. */
import {
  ContextArtifactView,
  ContextDeleted,
  ContextGrants,
  ContextGrantsList,
  ContextLineage,
  ContextPage,
  RunLineage,
  type ContextPutRequest,
} from '@cadre/contracts';
import type { z } from 'zod';
import type { HttpExchange } from './http-exchange.js';
import { JSON_BODY, repeated, search } from './request-parts.js';

/** Beside the content: tags, what is expected, how long and how many. */
export interface ContextPutOptions extends Omit<z.input<typeof ContextPutRequest>, 'content'> {
  /** The same key with the same request makes one version, however often it is sent. Default: a new one. */
  idempotencyKey?: string;
}

export interface ContextContent {
  version: number;
  mediaType: string;
  bytes: Uint8Array<ArrayBuffer>;
}

const path = (kind: 'artifacts' | 'versions' | 'lineage', name: string): string =>
  `/v1/context/${kind}/${name.split('/').map(encodeURIComponent).join('/')}`;

/** Changes are sent again when the gateway cannot answer for the moment, three times at most. Errors as of `CadreClient`. */
export class ContextClient {
  constructor(private readonly http: HttpExchange) {}

  /** Keeps the next version. Error: 409 `version-conflict` with `presentVersion`, when another one is the newest than `expects`. */
  async put(name: string, content: string | Uint8Array, options: ContextPutOptions = {}): Promise<ContextArtifactView> {
    const { idempotencyKey = crypto.randomUUID(), ...rest } = options;
    const body = JSON.stringify({ ...rest, content: typeof content === 'string' ? { text: content } : { base64: base64(content) } });
    const headers = { ...JSON_BODY, 'idempotency-key': idempotencyKey };
    return await repeated(3, () => this.http.json(path('artifacts', name), ContextArtifactView, { method: 'PUT', headers, body }));
  }

  /** @param version default: the newest. Error: 404 `not-found` */
  async get(name: string, version?: number): Promise<ContextContent> {
    const response = await this.http.request(`${path('artifacts', name)}${search({ version })}`);
    return {
      version: Number(response.headers.get('cadre-version')),
      mediaType: response.headers.get('content-type') ?? 'application/octet-stream',
      bytes: new Uint8Array(await response.arrayBuffer()),
    };
  }

  /** The versions that are kept. Error: 404 `not-found` */
  versions(name: string): Promise<ContextArtifactView> {
    return this.http.json(path('versions', name), ContextArtifactView);
  }

  /** One page, by name. `nextCursor` of the answer asks for the next. */
  list(query: { prefix?: string; tag?: string; limit?: number; cursor?: string } = {}): Promise<ContextPage> {
    return this.http.json(`/v1/context${search(query)}`, ContextPage);
  }

  /** With all versions. Errors: 404 `not-found`, 409 `version-conflict` */
  async delete(name: string, options: { expects?: number; idempotencyKey?: string } = {}): Promise<ContextDeleted> {
    const { expects, idempotencyKey = crypto.randomUUID() } = options;
    const headers = { 'idempotency-key': idempotencyKey };
    return await repeated(3, () =>
      this.http.json(`${path('artifacts', name)}${search({ expects })}`, ContextDeleted, { method: 'DELETE', headers }),
    );
  }

  /** What a version was made from, and so on back. @param version default: the newest */
  lineage(name: string, version?: number): Promise<ContextLineage> {
    return this.http.json(`${path('lineage', name)}${search({ version })}`, ContextLineage);
  }

  /** What the answer of a run rests on. */
  runLineage(runId: string): Promise<RunLineage> {
    return this.http.json(`/v1/runs/${encodeURIComponent(runId)}/lineage`, RunLineage);
  }

  /** What agents may do. */
  async grants(): Promise<ContextGrants[]> {
    return (await this.http.json('/v1/context/grants', ContextGrantsList)).grants;
  }

  /** In the place of all that the agent had. */
  setGrants(agent: string, rules: ContextGrants['rules']): Promise<ContextGrants> {
    const body = JSON.stringify({ rules });
    const options = { method: 'PUT' as const, headers: JSON_BODY, body };
    return repeated(3, () => this.http.json(`/v1/context/grants/${encodeURIComponent(agent)}`, ContextGrants, options));
  }
}

/** In pieces, since a call takes only so many arguments. */
function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}
