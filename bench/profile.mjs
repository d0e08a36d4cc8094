/**
 * Sums CPU profiles up. `node bench/profile.mjs FILE… [--top=25] [--inclusive]`: files as written by `speed.mjs --cpu-profile`. By self
 * time, or with what was called from there.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  options: { top: { type: 'string', default: '25' }, inclusive: { type: 'boolean' }, help: { type: 'boolean' } },
  allowPositionals: true,
});
if (values.help || positionals.length === 0) {
  console.log('node bench/profile.mjs FILE… [--top=25] [--inclusive]   self time by function (or with its callees), idle time left out');
  process.exit(0);
}
for (const file of positionals) summarise(file);

function summarise(file) {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8'));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id])));
  const sums = new Map();
  let busy = 0;
  samples.forEach((id, i) => {
    const own = nameOf(byId.get(id).callFrame);
    if (own === '(idle)' || own.startsWith('post  node:inspector')) return;
    busy += timeDeltas[i];
    const names = new Set([own]);
    if (values.inclusive) for (let at = parents.get(id); at !== undefined; at = parents.get(at)) names.add(nameOf(byId.get(at).callFrame));
    for (const name of names) sums.set(name, (sums.get(name) ?? 0) + timeDeltas[i]);
  });
  console.log(`\n${basename(file)}: busy ${(busy / 1000).toFixed(0)} ms`);
  const top = [...sums].sort((a, b) => b[1] - a[1]).slice(0, Number(values.top));
  for (const [name, micros] of top)
    console.log(`${((micros / busy) * 100).toFixed(1).padStart(5)} %  ${(micros / 1000).toFixed(1).padStart(8)} ms  ${name}`);
}

function nameOf({ functionName, url, lineNumber }) {
  const place = url.replace(/^.*\/(node_modules|libs|apps|bench)\//, '$1/').replace('node_modules/', '');
  return `${functionName || '(anonymous)'}${url ? `  ${place}:${lineNumber + 1}` : ''}`;
}
