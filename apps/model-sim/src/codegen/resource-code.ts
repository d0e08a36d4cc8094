/** The code writer's second generator: a REST module for a named resource, with an in-memory store and node:http. */
import type { GeneratedFile } from './report-code.js';
import { fill, literal, loadTemplate } from './template.js';

export interface Resource {
  /** Lower-case: `user`, `users`. */
  singular: string;
  plural: string;
  /** Requests bear a token. */
  auth: boolean;
}

const STORE = loadTemplate('resource-store.ts');
const ROUTES = loadTemplate('resource-routes.ts');
const AUTH = loadTemplate('resource-auth.ts');
const SERVER = loadTemplate('resource-server.ts');
const MAIN = loadTemplate('resource-main.ts');
const TESTS = loadTemplate('resource.test.ts');

const ASKED = /\b(rest|api|crud|endpoints?|http server|web service|backend)\b/i;
/** "API for managing users", "CRUD for a product", "users API", "user management". */
const NAMED = [
  /\b(?:rest|api|crud|endpoints?|server|service|backend)\b[^.;,\n]*?\b(?:for|of|to|on|that manages?|managing|handling)\s+(?:manage\s+|managing\s+|handling\s+)?(?:the |a |an |our |all |my )?([a-z]{3,30})\b/i,
  /\b([a-z]{3,30})\s+(?:management|crud|rest api|api|endpoints?)\b/i,
];
const AUTHENTICATED = /\bauth\b|authenticat|authori[sz]|\bbearer\b|\btokens?\b|\bapi keys?\b|\blog-?in\b/i;
const NO_NAMES = new Set(
  'rest the this that data code report simple small new json http web node typescript javascript crud api apis document test tests write user-friendly and for with public full complete basic managing management server service'.split(
    ' ',
  ),
);

/** The resource that a text asks an interface for, if any. */
export function resourceOf(text: string): Resource | undefined {
  if (!ASKED.test(text)) return undefined;
  for (const pattern of NAMED) {
    for (const match of text.matchAll(new RegExp(pattern, 'gi'))) {
      const word = match[1]?.toLowerCase();
      if (word !== undefined && !NO_NAMES.has(word)) return { ...nameOf(word), auth: AUTHENTICATED.test(text) };
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

const flagsOf = ({ auth }: Resource): ReadonlySet<string> => new Set(auth ? ['auth'] : []);

function valuesOf({ singular, plural }: Resource): Record<string, string> {
  const type = singular.charAt(0).toUpperCase() + singular.slice(1);
  return { singular, plural, type, types: plural.charAt(0).toUpperCase() + plural.slice(1), path: literal(`/${plural}`) };
}

/** Store, routes, HTTP server and entry; with `auth` a check of tokens. */
export function resourceCode(resource: Resource): GeneratedFile[] {
  const values = valuesOf(resource);
  const flags = flagsOf(resource);
  return [
    { path: 'src/store.ts', text: fill(STORE, values, new Set()) },
    { path: 'src/routes.ts', text: fill(ROUTES, values, new Set()) },
    ...(resource.auth ? [{ path: 'src/auth.ts', text: fill(AUTH, values, flags) }] : []),
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
  return { singular: match[1], plural: match[2], auth: sources.some(({ path }) => path === 'src/auth.ts') };
}
