/** Whether a model server is there, takes its key, and which models it lists: what a person is told before anything is paid. */
import { request } from 'undici';
import { APIS } from '../apis.js';
import { dispatcherFor } from '../dispatcher.js';
import { readListing } from './listed-models.js';
import type { Listed } from './listed-models.js';
import type { ModelServersParts } from './model-servers.js';
import type { ServerEntry } from './models-file.js';

/** `models` undefined: it answers something else than a list. */
export type ServerLook =
  | { kind: 'answers'; models: Listed[] | undefined }
  | { kind: 'refuses-key' }
  | { kind: 'status'; status: number }
  | { kind: 'absent'; why: string };

const LOOK_MS = 5000;

/** Asks for the list of models. Never rejects. */
export async function lookAtServer(server: ServerEntry, keyOf: ModelServersParts['keyOf']): Promise<ServerLook> {
  try {
    const { statusCode, body } = await request(`${server.url}/models`, {
      headers: headersFor(server, keyOf),
      dispatcher: dispatcherFor(server.url),
      signal: AbortSignal.timeout(LOOK_MS),
    });
    const text = await body.text();
    if (statusCode === 401 || statusCode === 403) return { kind: 'refuses-key' };
    if (statusCode >= 300) return { kind: 'status', status: statusCode };
    return { kind: 'answers', models: readListing(jsonOf(text)) };
  } catch (error) {
    return { kind: 'absent', why: innermost(error) };
  }
}

function headersFor({ api, key, headers }: ServerEntry, keyOf: ModelServersParts['keyOf']): Record<string, string> {
  const own = Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : keyOf(value)] as const);
  return { ...APIS[api].headers(key && keyOf(key)), ...Object.fromEntries(own) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** What the socket said. */
function innermost(error: unknown): string {
  let at = error;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  return at instanceof Error ? at.message || at.name : String(at);
}
