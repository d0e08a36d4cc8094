/**
 * Puts each built service into a few files under `dist/`: `dist/<app>/main.js` and the chunks that they share. A service is made of some
 * 1,500 modules, and finding and reading them one by one is most of the time that its start takes. `docs/adr/0030-services-are-bundled.md`
 * says what stays outside, and why.
 */
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const out = join(root, 'dist');

/** Load files of their own, or are loaded only when they are wanted. */
const OUTSIDE = ['pino', 'pino-pretty', 'pg', '@electric-sql/pglite', '@opentelemetry/sdk-node'];
/** Asked for by Nest at run time; where they are missing it does without. */
const OPTIONAL = [
  ...['@nestjs/websockets', '@nestjs/microservices', '@nestjs/platform-express', 'class-validator', 'class-transformer'],
  ...['@fastify/static', '@fastify/view'],
];

/** Programs of one command, and tests: they are run as they are compiled. */
const NO_SERVICES = new Set(['cli', 'chaos', 'eval', 'simulator']);

/** What a module of ours finds beside itself stays where it was: in the folder that it was compiled into. */
const keepPlaces = {
  name: 'keep-places',
  setup({ onLoad }) {
    onLoad({ filter: /\/(apps|libs)\/[^/]+\/dist\/.*\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      if (/import\.meta\.(dirname|filename)/.test(text)) throw new Error(`${path}: a service says import.meta.url, which is kept right`);
      const place = `new URL(${JSON.stringify(`../../${relative(root, path)}`)}, import.meta.url).href`;
      return { contents: text.replaceAll('import.meta.url', place), loader: 'js' };
    });
  },
};

const apps = readdirSync(join(root, 'apps')).filter((app) => !NO_SERVICES.has(app));
const { metafile } = await build({
  metafile: true,
  absWorkingDir: root,
  entryPoints: apps.map((app) => ({ in: join(root, 'apps', app, 'dist/main.js'), out: `${app}/main` })),
  outdir: out,
  chunkNames: 'shared/[name]-[hash]',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  // Nest tells classes apart by what they are, and people by their names.
  keepNames: true,
  external: [...OUTSIDE, ...OPTIONAL].flatMap((name) => [name, `${name}/*`]),
  // Packages that are CommonJS ask for Node's modules by `require`.
  banner: { js: `import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);` },
  plugins: [keepPlaces],
  logLevel: 'warning',
});

// A system that runs from here may load a chunk late: what is still made is never missing.
const made = new Set(Object.keys(metafile.outputs));
for (const file of readdirSync(out, { recursive: true, withFileTypes: true })) {
  const path = join(file.parentPath, file.name);
  if (file.isFile() && !made.has(relative(root, path))) rmSync(path);
}
