/** Why the shared context does not do what it was asked: expected, and told in words that say what to do. */
import { CadreError, CONTEXT_LIMITS } from '@cadre/contracts';
import type { ContextAccess, ContextName } from '@cadre/contracts';

export type ContextRefusal =
  | { kind: 'conflict'; name: ContextName; expects: number; present: number }
  | { kind: 'not-found'; name: ContextName; version?: number }
  | { kind: 'forbidden'; name: ContextName; access: ContextAccess; agent: string }
  | { kind: 'too-large'; name: ContextName; bytes: number }
  | { kind: 'key-taken'; name: ContextName; version: number };

/**
 * The refusal as an error: `version-conflict`, `not-found`, `context-forbidden`, `context-too-large`, `key-taken`. Surely nothing was
 * changed.
 */
export function refusalError(refusal: ContextRefusal): CadreError {
  const [code, message, remedy] = wordsOf(refusal);
  return new CadreError(code, message, { remedy, billed: 'no' });
}

function wordsOf(refusal: ContextRefusal): [code: string, message: string, remedy: string] {
  const { name } = refusal;
  switch (refusal.kind) {
    case 'conflict': {
      const { expects, present } = refusal;
      const is = present === 0 ? `There is no ${name} now` : `${name} is at version ${present} now`;
      const remedy = present === 0 ? 'Expect 0 to make it anew.' : `Read version ${present}, and expect it in the next try.`;
      return ['version-conflict', `${is}, and ${expects === 0 ? 'none' : `version ${expects}`} was expected.`, remedy];
    }
    case 'not-found': {
      const { version } = refusal;
      const which = version === undefined ? `no ${name}` : `no version ${version} of ${name} any more, or not yet,`;
      return ['not-found', `There is ${which} in the context store.`, 'Look at the list of what is there.'];
    }
    case 'forbidden': {
      const { access, agent } = refusal;
      return [
        'context-forbidden',
        `The agent ${agent} may not ${access} ${name} in the context store.`,
        `A person can allow it: cadre context grant ${agent} ${access} ${name}`,
      ];
    }
    case 'key-taken': {
      const { version } = refusal;
      return [
        'key-taken',
        `The key has made version ${version} of ${name} already, with another content.`,
        'Use a key of its own for each request.',
      ];
    }
    case 'too-large': {
      const { bytes } = refusal;
      const mib = CONTEXT_LIMITS.bodyBytes / 1024 / 1024;
      return [
        'context-too-large',
        `${name} would take ${bytes} bytes; at most ${CONTEXT_LIMITS.bodyBytes} (${mib} MiB) are allowed.`,
        'Keep it in parts, under names of their own.',
      ];
    }
  }
}
