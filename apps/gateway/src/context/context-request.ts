/** From what comes in about the context store to what it takes, or to a refusal that says what to change. */
import { AgentName, CONTEXT_LIMITS, ContextGrantsRequest, ContextName, ContextPutRequest, ContextTag, mediaTypeOf } from '@cadre/contracts';
import { refusalError, type ContextPut, type ContextRefusal } from '@cadre/engine';
import { InputProblem, inputProblem } from '@cadre/service-kit';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { assertStorable } from '../runs/storable.js';

/** As JSON, where base64 takes a third more, with room for the rest. */
export const CONTEXT_BODY_BYTES = Math.ceil(CONTEXT_LIMITS.bodyBytes * 1.4);

const whole = (min: number) =>
  z.coerce
    .number({ error: 'must be a whole number' })
    .int({ error: 'must be a whole number' })
    .min(min, { error: `must be at least ${min}` });

export const ContextListQuery = z.strictObject({
  prefix: z.string().max(200).optional(),
  tag: ContextTag.optional(),
  limit: whole(1)
    .max(CONTEXT_LIMITS.listed, { error: `must be at most ${CONTEXT_LIMITS.listed}` })
    .default(50),
  /** `nextCursor` of the page before. */
  cursor: z.string().max(200).optional(),
});
export type ContextListQuery = z.infer<typeof ContextListQuery>;

export const ContextVersionQuery = z.strictObject({ version: whole(1).optional() });
export type ContextVersionQuery = z.infer<typeof ContextVersionQuery>;

export const ContextDeleteQuery = z.strictObject({ expects: whole(1).optional() });
export type ContextDeleteQuery = z.infer<typeof ContextDeleteQuery>;

/** The rest of the path. @throws InputProblem `invalid-request` */
export function nameOf(http: FastifyRequest): ContextName {
  const parsed = ContextName.safeParse((http.params as { '*'?: string })['*'] ?? '');
  if (parsed.success) return parsed.data;
  throw inputProblem(parsed.error.issues.map((issue) => ({ ...issue, path: ['name'] })));
}

/** @throws InputProblem `invalid-request` */
export function parseAgent(name: string): AgentName {
  const parsed = AgentName.safeParse(name);
  if (!parsed.success) throw inputProblem(parsed.error.issues.map((issue) => ({ ...issue, path: ['agent'] })));
  return parsed.data;
}

/** @param name gives the media type where nothing is said @throws InputProblem `invalid-request` */
export function parsePut(body: unknown, name: ContextName): Omit<ContextPut, 'key' | 'from'> {
  // The content itself goes to the object store as it is.
  const { content: _content, ...rest } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  assertStorable(rest);
  const parsed = ContextPutRequest.safeParse(body ?? {});
  if (!parsed.success) throw inputProblem(parsed.error.issues);
  const { content, mediaType, ...settings } = parsed.data;
  const [bytes, otherwise] =
    'text' in content ? [Buffer.from(content.text, 'utf8'), 'text/markdown'] : [Buffer.from(content.base64, 'base64'), undefined];
  return { ...settings, name, bytes, mediaType: mediaType ?? mediaTypeOf(name, otherwise) };
}

/** @throws InputProblem `invalid-request` */
export function parseGrants(body: unknown): ContextGrantsRequest {
  const parsed = ContextGrantsRequest.safeParse(body ?? {});
  if (!parsed.success) throw inputProblem(parsed.error.issues);
  return parsed.data;
}

/** The refusal as an answer over HTTP, with the present version where that is the trouble. */
export function refusalProblem(refusal: ContextRefusal): InputProblem {
  const { code, message, remedy = '' } = refusalError(refusal);
  if (refusal.kind !== 'conflict') return new InputProblem(code, message, { remedy });
  return new InputProblem(code, message, { remedy, presentVersion: refusal.present });
}
