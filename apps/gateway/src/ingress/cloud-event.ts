/** CloudEvents 1.0 on NATS, in structured JSON and in binary mode. */
import { CadreError, IngressEvent } from '@cadre/contracts';
import { inputProblem } from '@cadre/service-kit';

export interface RawEvent {
  data: Uint8Array;
  /** Names in lower case. */
  headers: Record<string, string>;
}

/** @throws CadreError `malformed-event` saying what is wrong */
export function parseCloudEvent(raw: RawEvent): IngressEvent {
  const type = raw.headers['content-type']?.toLowerCase() ?? '';
  const binary = !type.startsWith('application/cloudevents') && raw.headers['ce-specversion'] !== undefined;
  const value = binary ? fromHeaders(raw) : fromBody(raw);
  const parsed = IngressEvent.safeParse(value);
  if (!parsed.success) throw malformed(inputProblem(parsed.error.issues, 'CloudEvent').message);
  return parsed.data;
}

function fromHeaders(raw: RawEvent): unknown {
  const attributes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(raw.headers)) if (name.startsWith('ce-')) attributes[name.slice(3)] = decoded(value);
  const type = (raw.headers['content-type'] ?? 'application/json').split(';')[0]?.trim() ?? '';
  if (!/^application\/(json|[\w.+-]+\+json)$/i.test(type)) throw malformed(`The data is ${type}; only JSON is read.`);
  return { ...attributes, data: json(raw.data, 'The data') };
}

function fromBody(raw: RawEvent): unknown {
  const value = json(raw.data, 'The message');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('The message is not a CloudEvent in JSON.');
  const { data_base64: encoded, ...event } = value as { data_base64?: unknown };
  if (typeof encoded !== 'string') return event;
  return { ...event, data: json(Buffer.from(encoded, 'base64'), 'The data') };
}

function json(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    throw malformed(`${what} is not JSON in UTF-8.`);
  }
}

/** Header values are percent-encoded, as in the HTTP binding. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function malformed(message: string): CadreError {
  return new CadreError('malformed-event', message);
}
