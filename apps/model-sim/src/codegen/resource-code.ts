/** The code writer's second generator: a REST module for a named resource, with an in-memory store and node:http. */
import { inEnglish } from '@cadre/engine';
import type { GeneratedFile } from './report-code.js';
import { fill, literal, loadTemplate } from './template.js';

export interface Resource {
  /** Lower-case: `user`, `users`. */
  singular: string;
  plural: string;
  /** How requests show who sends them: not at all, by a token that the server was started with, or by one that a login gives. */
  auth: 'none' | 'token' | 'login';
}

const STORE = loadTemplate('resource-store.ts');
const ROUTES = loadTemplate('resource-routes.ts');
const AUTH = { token: loadTemplate('resource-auth.ts'), login: loadTemplate('resource-login.ts') };
const SERVER = loadTemplate('resource-server.ts');
const MAIN = loadTemplate('resource-main.ts');
const TESTS = loadTemplate('resource.test.ts');

const ASKED = /\b(rest|api|crud|endpoints?|http server|web service|backend)\b/i;
/** "API for managing users", "CRUD for a product", "users API", "user management". */
const NAMED = [
  /\b(?:rest|api|crud|endpoints?|server|service|backend)\b[^.;,\n]*?\b(?:for|of|to|on|that manages?|managing|handling)\s+(?:manage\s+|managing\s+|handling\s+)?(?:the |a |an |our |all |my )?([a-z]{3,30})\b/i,
  /\b([a-z]{3,30})\s+(?:management|crud|rest api|api|endpoints?)\b/i,
];
const UNAUTHENTICATED = /\b(?:without|no|not)\s+(?:any\s+)?(?:\w+\s+)?(?:auth|login|log-in|token)\w*/gi;
const NO_NAMES = new Set(
  'rest the this that data code report simple small new json http web node typescript javascript crud api apis document test tests write user-friendly and for with public full complete basic managing management server service'.split(
    ' ',
  ),
);

/** Those who log in themselves; to use other things somebody else logs in. */
const PEOPLE = new Set(['user', 'account', 'member']);
export const isPerson = ({ singular }: Pick<Resource, 'singular'>): boolean => PEOPLE.has(singular);

/** Where one registers. */
export const registerPath = (resource: Resource): string => (isPerson(resource) ? `/${resource.plural}` : '/register');

/** Who only asks for tokens or keys gives them out elsewhere. */
const TOKENS = /\b(?:bearer|tokens?|api keys?)\b/i;
const LOGIN = /\bauth\b|authenticat|authori[sz]|\blog-?in\b|\bpasswords?\b|\bregist/i;

function authOf(text: string): Resource['auth'] {
  const asked = text.replace(UNAUTHENTICATED, '');
  if (TOKENS.test(asked)) return 'token';
  return LOGIN.test(asked) ? 'login' : 'none';
}

/** The resource that a text asks an interface for, if any. */
export function resourceOf(asked: string): Resource | undefined {
  const text = inEnglish(asked);
  if (!ASKED.test(text)) return undefined;
  for (const pattern of NAMED) {
    for (const match of text.matchAll(new RegExp(pattern, 'gi'))) {
      const word = match[1]?.toLowerCase();
      if (word !== undefined && !NO_NAMES.has(word)) return { ...nameOf(word), auth: authOf(text) };
    }
  }
  return undefined;
}

function nameOf(word: string): Pick<Resource, 'singular' | 'plural'> {
  const singular = /ies$/.test(word)
    ? word.replace(/ies$/, 'y')
    : /(x|ch|sh|ss)es$/.test(word)
      ? word.slice(0, -2)
      : /[^s]s$/.test(word)
        ? word.slice(0, -1)
        : word;
  const plural = /[^aeiou]y$/.test(singular)
    ? singular.replace(/y$/, 'ies')
    : /(s|x|ch|sh)$/.test(singular)
      ? `${singular}es`
      : `${singular}s`;
  return { singular, plural };
}

const FLAGS = { none: 'plain', token: 'auth', login: 'login' };
const flagsOf = (resource: Resource): ReadonlySet<string> => new Set([FLAGS[resource.auth], ...(isPerson(resource) ? ['people'] : [])]);

function valuesOf(resource: Resource): Record<string, string> {
  const { singular, plural } = resource;
  const type = singular.charAt(0).toUpperCase() + singular.slice(1);
  return {
    singular,
    plural,
    type,
    types: plural.charAt(0).toUpperCase() + plural.slice(1),
    path: literal(`/${plural}`),
    register: registerPath(resource),
  };
}

/** Store, routes, HTTP server and entry; with `auth` a check of tokens, or accounts with passwords. */
export function resourceCode(resource: Resource): GeneratedFile[] {
  const values = valuesOf(resource);
  const flags = flagsOf(resource);
  return [
    { path: 'src/store.ts', text: fill(STORE, values, new Set()) },
    { path: 'src/routes.ts', text: fill(ROUTES, values, new Set()) },
    ...(resource.auth === 'none' ? [] : [{ path: 'src/auth.ts', text: fill(AUTH[resource.auth], values, flags) }]),
    { path: 'src/server.ts', text: fill(SERVER, values, flags) },
    { path: 'src/main.ts', text: fill(MAIN, values, flags) },
  ];
}

/** Tests of that module. */
export function resourceTests(resource: Resource): GeneratedFile {
  return { path: 'test/api.test.ts', text: fill(TESTS, valuesOf(resource), flagsOf(resource)) };
}

/** The resource of sources that `resourceCode` wrote. */
export function resourceIn(sources: readonly GeneratedFile[]): Resource | undefined {
  const store = sources.find(({ path }) => path === 'src/store.ts')?.text ?? '';
  const match = /A REST resource: (\w+), (\w+)\./.exec(store);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const auth = sources.find(({ path }) => path === 'src/auth.ts')?.text;
  return {
    singular: match[1],
    plural: match[2],
    auth: auth === undefined ? 'none' : auth.includes('logs in for a token') ? 'login' : 'token',
  };
}
