/** What became of a call that brought no result, in words, and whether it may have happened. */
import { CadreError } from '@cadre/contracts';
import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { TOO_LONG } from './bounded-lines.js';
import type { McpServer } from './server-file.js';

/** The server says by these that it did nothing: parse error, invalid request, no such method, invalid parameters. */
const REFUSALS: ReadonlySet<number> = new Set([-32_700, -32_600, -32_601, -32_602]);

export function connectError(server: string, why: string, cause?: unknown): CadreError {
  return new CadreError('mcp-unavailable', `The tool server ${server} cannot be reached. ${why}`, { retriable: true, billed: 'no', cause });
}

export function serverLost(server: string): CadreError {
  return new CadreError('mcp-lost', `The tool server ${server} ended while the call was on its way.`, { retriable: true });
}

export function resultTooLong(server: string, mostBytes: number): CadreError {
  const remedy = 'Ask for less.';
  return new CadreError('mcp-result-too-long', `The tool server ${server} answered with more than ${mostBytes} bytes (maxResultBytes).`, {
    remedy,
  });
}

/** @param clear takes out what must not be seen */
export function callError(
  error: unknown,
  server: string,
  { callTimeoutMs, maxResultBytes, url }: McpServer,
  clear: (text: string) => string,
): CadreError {
  if (error instanceof CadreError) return error;
  const said = clear(error instanceof Error ? error.message : String(error));
  if (error instanceof ProtocolError && error.code === TOO_LONG) return resultTooLong(server, maxResultBytes);
  if (error instanceof ProtocolError) {
    const refused = REFUSALS.has(error.code);
    return new CadreError(refused ? 'mcp-refused' : 'mcp-failed', `The tool server ${server} says: ${said}`, {
      cause: error,
      ...(refused && { billed: 'no' }),
    });
  }
  if (error instanceof SdkHttpError) return httpError(error, server, said);
  if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) {
    const text = `The tool server ${server} did not answer within ${callTimeoutMs} ms (callTimeoutMs).`;
    return new CadreError('mcp-timeout', text, { retriable: true, cause: error });
  }
  if (error instanceof SdkError && error.code === SdkErrorCode.NotConnected) return connectError(server, said, error);
  if (error instanceof SdkError && error.code !== SdkErrorCode.ConnectionClosed && error.code !== SdkErrorCode.SendFailed)
    return new CadreError('mcp-failed', `The call of the tool server ${server} failed: ${said}`, { cause: error });
  if (url !== undefined && wasNeverSent(error)) return neverSent(server, said, error);
  return serverLost(server);
}

/** A server that was started anew knows no session of before: nothing was done, and the next call opens a new one. */
function httpError(error: SdkHttpError, server: string, said: string): CadreError {
  if (error.status >= 500)
    return new CadreError('mcp-lost', `The tool server ${server} failed: ${said}`, { retriable: true, cause: error });
  return neverSent(server, said, error);
}

function neverSent(server: string, said: string, cause: unknown): CadreError {
  return new CadreError('mcp-lost', `The tool server ${server} did not take the call. ${said}`, { retriable: true, billed: 'no', cause });
}

function wasNeverSent(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return cause?.code === 'ECONNREFUSED' || cause?.code === 'ENOTFOUND';
}
