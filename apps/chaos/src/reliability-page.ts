/**
 * Writes results into `docs/RELIABILITY.md`, between the marks of its sections, so that the page holds what was measured and nothing else.
 */
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { installationRoot } from '@cadre/local-system';

/** By section: what stands between `<!-- NAME -->` and `<!-- /NAME -->`. Error when the page has no such section. */
export async function fillPage(path: string, sections: Record<string, string>): Promise<void> {
  let page = await readFile(path, 'utf8');
  for (const [name, text] of Object.entries(sections)) page = filled(page, name, text);
  await writeFile(path, page);
}

export function filled(page: string, name: string, text: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the page has no section ${start} … ${end}`);
  return `${page.slice(0, from + start.length)}\n${text.trim()}\n${page.slice(to)}`;
}

/** The line under each table: how, when and on what it was measured. */
export function provenance(command: string, seed: number, at = new Date()): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: installationRoot, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ' with changes';
  return `\`${command}\`, seed ${seed}, commit ${git('rev-parse', '--short', 'HEAD')}${changed}, ${at.toISOString().slice(0, 10)}, Node ${process.versions.node}.`;
}
