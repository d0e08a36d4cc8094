#!/usr/bin/env node
// Plain JavaScript that any Node can parse, so that an old one is told what is wrong instead of failing on syntax.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const major = Number(process.versions.node.split('.')[0]);
const main = new URL('../dist/main.js', import.meta.url);

if (major < 22) {
  console.error(`cadre: this is Node ${process.versions.node}; Cadre needs Node 22 or newer.`);
  console.error('  To do: run it as `npx cadre` in the checkout (which brings its own Node), or install a newer Node.');
  process.exitCode = 2;
} else if (!existsSync(fileURLToPath(main))) {
  console.error('cadre: Cadre is not built yet.');
  console.error('  To do: run `npm ci && npm run build` in the checkout.');
  process.exitCode = 2;
} else {
  const { main: run } = await import(main.href);
  await run(process.argv);
}
