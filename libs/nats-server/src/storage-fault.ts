/**
 * Whether a server can still write. One that has met a full disk answers all questions as before but keeps no message any more (2.15:
 * publishers get no answer at all), also when there is room again: only a restart helps.
 */
import { askServer } from './readiness.js';

/**
 * @returns the server's own words when it has stopped writing; undefined when it writes, is not healthy for another reason, or does not
 * answer
 */
export async function storageFault(host: string, port: number): Promise<string | undefined> {
  const answer = await askServer(host, port, '$SYS.REQ.SERVER.PING.HEALTHZ');
  return answer === undefined ? undefined : writeErrorIn(answer);
}

/** @param answer of `$SYS.REQ.SERVER.PING.HEALTHZ`: `{"server":…,"data":{"status":"unavailable","error":"…"}}` */
export function writeErrorIn(answer: string): string | undefined {
  const { data } = JSON.parse(answer) as { data?: { status?: string; error?: string } };
  return data?.status !== 'ok' && data?.error?.includes('write error') ? data.error : undefined;
}
