/**
 * Servers that speak the same API differ in what they take. A refused request is asked again in a dialect that leaves out or changes what
 * the refusal names, and nothing else; see `refusals/refused-part.ts`.
 */
import type { Plainness } from './plain-schema.js';

export interface Dialect {
  /** How a JSON answer is asked for. */
  format: 'schema' | 'object' | 'none';
  maxTokens: 'max_tokens' | 'max_completion_tokens';
  temperature: boolean;
  /** Whether an effort of reasoning may be sent. */
  effort: boolean;
  /** `usage`: a stream that ends with the count of tokens. */
  stream: 'usage' | 'plain' | 'none';
  schemas: Plainness;
  /** `made`: not even the server's own ids of calls go back to it. */
  ids: 'own' | 'made';
  /** `user`: there is no role for instructions, so they go before the first message. */
  system: 'system' | 'user';
  /** Whether the opaque fields of a turn go back to the server that gave them. */
  opaque: boolean;
  /**
   * What a turn of calls without thoughts of this server gets in their place, where it demands some: one of another model, or one without
   * any.
   */
  noThoughts: 'nothing' | 'empty' | 'unsigned';
  /** Content of a turn that holds only calls. */
  bare: 'null' | 'text';
  /** Whether the result of a call names its tool. */
  toolNames: boolean;
  /** `alternating`: neighbours of one role become one message. */
  turns: 'as-they-are' | 'alternating';
}

export const FIRST_DIALECT: Dialect = {
  format: 'schema',
  maxTokens: 'max_tokens',
  temperature: true,
  effort: true,
  stream: 'usage',
  schemas: 'plain',
  ids: 'own',
  system: 'system',
  opaque: true,
  noThoughts: 'nothing',
  bare: 'null',
  toolNames: false,
  turns: 'as-they-are',
};
