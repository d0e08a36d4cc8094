/** The code reviewer: static checks and reading by rules, with places, what is good, and a verdict. */
import type { AgentReply, Finding, ToolResult } from '@cadre/contracts';
import type { z } from 'zod';
import type { GeneratedFile } from '../codegen/report-code.js';
import type { Brief } from '../conversation.js';
import { together, type Outcome, type Script, type ToolDesk } from '../script/script.js';
import { codePaths, exportedNames, readSources } from './sources.js';
import { blocks, code, count, HONESTY, listing, table } from '../text/words.js';

type Found = z.infer<typeof Finding>;

export function* codeReviewer(brief: Brief, desk: ToolDesk): Script<AgentReply> {
  const listed = yield* desk.call('list_files', {});
  const { sources, tests } = codePaths(listed.ok ? listed.value.files : []);
  if (sources.length === 0) {
    const answer = blocks('Nothing was reviewed: there is no TypeScript code in src/.', HONESTY);
    return { answer, confidence: 0.1, missing: [brief.task.title] };
  }
  const [checked, read] = yield* together(
    desk.call('static_checks', { files: [...sources, ...tests] }),
    readSources([...sources, ...tests], desk),
  );
  const findings = [...(checked.ok ? checked.value.findings : []), ...readByRules(read, tests)].sort(bySeverity);
  const text = reviewMarkdown({ brief, checked, findings, read, sources, tests });
  const written = yield* desk.call('write_file', { path: 'review.md', text });
  const verdict = verdictOf(findings, checked, brief);
  const answer = blocks(
    `**Verdict: ${verdict}** ${countsText(findings)}`,
    findings.length > 0 ? findings.slice(0, 8).map(findingLine).join('\n') : '',
    written.ok ? 'Written: `review.md`.' : `review.md was not written: ${written.error}`,
    HONESTY,
  );
  return { answer, confidence: checked.ok ? 0.8 : 0.4, ...(!(checked.ok && written.ok) && { missing: [brief.task.title] }) };
}

const ORDER = { error: 0, warning: 1, info: 2 };
const bySeverity = (a: Found, b: Found): number =>
  ORDER[a.severity] - ORDER[b.severity] || (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line);

const LINE_RULES: readonly { rule: string; severity: Found['severity']; pattern: RegExp; message: string }[] = [
  { rule: 'open-work', severity: 'info', pattern: /\b(TODO|FIXME|XXX)\b/, message: 'work left open' },
  { rule: 'no-any', severity: 'warning', pattern: /[:<]\s*any\b|\bas any\b/, message: 'any switches type checks off' },
  { rule: 'long-line', severity: 'info', pattern: /^.{161,}$/, message: 'a line of more than 160 characters is hard to read' },
];

/** What the static checks do not look at. */
function readByRules(files: readonly GeneratedFile[], tests: readonly string[]): Found[] {
  const testText = files
    .filter(({ path }) => tests.includes(path))
    .map(({ text }) => text)
    .join('\n');
  return files.flatMap(({ path, text }) => {
    const lines = text.split('\n');
    const found = LINE_RULES.flatMap(({ pattern, ...rest }) =>
      lines.flatMap((line, index) => (pattern.test(line) ? [{ file: path, line: index + 1, ...rest }] : [])),
    );
    if (tests.includes(path) || path === 'src/main.ts' || testText === '') return found;
    const untested = exportedNames(text).filter((name) => !new RegExp(`\\b${name}\\b`).test(testText));
    if (untested.length === 0) return found;
    const message = `not named in any test: ${listing(untested)}`;
    return [...found, { file: path, line: 1, rule: 'untested-export', severity: 'info' as const, message }];
  });
}

function verdictOf(findings: readonly Found[], checked: Outcome<unknown>, { results }: Brief): string {
  const failed = results.find((result) => result.status === 'failed' || /\b[1-9]\d* failed\b/.test(result.answer ?? ''));
  if (!checked.ok) return 'not given, because the static checks did not run.';
  if (findings.some((finding) => finding.severity === 'error')) return 'to be corrected before use.';
  if (failed !== undefined) return `to be looked at: "${failed.title}" reported failures.`;
  return findings.some((finding) => finding.severity === 'warning') ? 'usable; see the warnings.' : 'no objections.';
}

function countsText(findings: readonly Found[]): string {
  const number = (severity: Found['severity']): number => findings.filter((finding) => finding.severity === severity).length;
  return `${count(number('error'), 'error')}, ${count(number('warning'), 'warning')}, ${count(number('info'), 'remark')}.`;
}

function findingLine({ file, line, rule, severity, message }: Found): string {
  return `- ${severity}: ${code(`${file}:${line}`)} ${message.replace(/\s+/g, ' ').slice(0, 240)} (${rule})`;
}

interface Review {
  brief: Brief;
  checked: Outcome<ToolResult<'static_checks'>>;
  findings: readonly Found[];
  read: readonly GeneratedFile[];
  sources: readonly string[];
  tests: readonly string[];
}

function reviewMarkdown(review: Review): string {
  const { brief, checked, findings, sources, tests } = review;
  const metrics = checked.ok ? checked.value.metrics : [];
  const lines = metrics.map((m) => [m.file, String(m.lines), String(m.functions), String(m.longestFunction)]);
  return `${blocks(
    '# Code review',
    `**Verdict: ${verdictOf(findings, checked, brief)}** ${countsText(findings)}`,
    `Reviewed: ${listing([...sources, ...tests].map(code))}.`,
    `## Findings\n\n${findings.length > 0 ? findings.slice(0, 100).map(findingLine).join('\n') : 'None.'}`,
    `## What is good\n\n${goodPoints(review).join('\n') || '- Nothing that the rules could tell.'}`,
    lines.length > 0 ? `## Metrics\n\n${table(['File', 'Lines', 'Functions', 'Longest function'], lines)}` : '',
    checked.ok ? '' : `The static checks did not run: ${checked.error}`,
    `## How it was done\n\nBy static checks (types, unused code, dangerous calls, documentation, length) and rules over the text. Whether the code does what its user needs, and whether its design is right, was not judged. ${HONESTY}`,
  )}\n`;
}

function goodPoints({ brief, checked, findings, read, sources, tests }: Review): string[] {
  const none = (pattern: RegExp): boolean =>
    checked.ok && !findings.some((finding) => pattern.test(finding.rule) || pattern.test(finding.message));
  const code = read.filter(({ path }) => sources.includes(path));
  const packages = code.flatMap(({ text }) => [...text.matchAll(/from '([^'.][^']*)'/g)]).map((match) => match[1] ?? '');
  const longest = checked.ok
    ? Math.max(0, ...checked.value.metrics.filter((m) => sources.includes(m.file)).map((m) => m.longestFunction))
    : 0;
  const ran = brief.results
    .map((result) => /\*\*(\d+ passed, 0 failed)/.exec(result.answer ?? '')?.[1])
    .find((match) => match !== undefined);
  return [
    none(/type|TS\d/i) ? '- The static checks found no type errors.' : '',
    none(/dangerous|eval|process|shell/i) ? '- No dangerous calls.' : '',
    none(/doc/i) ? '- Every export is documented.' : '',
    packages.every((name) => name.startsWith('node:')) ? '- No packages beyond Node.js itself.' : '',
    longest > 0 && longest <= 60 ? `- The longest function has ${longest} lines.` : '',
    tests.length > 0 ? `- There are tests${ran === undefined ? '' : `; when run: ${ran}`}.` : '',
  ].filter((line) => line !== '');
}
