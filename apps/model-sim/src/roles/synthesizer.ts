/** The synthesizer: one answer from what all tasks reported, and an account of what the goal asks for; nothing that no task said. */
import type { AgentReply } from '@cadre/contracts';
import { GoalAccount, type Evidence, type PartClaim } from '../account/account-of.js';
import { abilitiesText } from '../account/abilities.js';
import { parseProfile, PROFILE_PATH } from '../analysis/profile-json.js';
import { resourceIn } from '../codegen/resource-code.js';
import type { Brief, Result } from '../conversation.js';
import type { Script, ToolDesk } from '../script/script.js';
import { blocks, code, count, HONESTY, SET_A_MODEL } from '../text/words.js';

/** Lines kept of one task's answer. */
const LINES = { analysis: 16, other: 8, unwritten: 40 };

/** What the account of a goal looks at. */
const LOOKED_AT = [PROFILE_PATH, 'report.md', 'docs/API.md', 'src/store.ts', 'src/auth.ts'];
const READ_BYTES = 200_000;

export function* synthesizer(brief: Brief, desk: ToolDesk): Script<AgentReply & { parts?: PartClaim[] }> {
  const account = brief.account === undefined ? undefined : new GoalAccount(brief, yield* evidenceOf(brief, desk));
  const parts = account?.claims();
  const works = parts?.filter(({ part }) => account?.works().includes(part));
  const done = brief.results.filter((result) => result.status === 'completed');
  const undone = brief.results.filter((result) => result.status !== 'completed');
  const reasons = account?.reasons() ?? [];
  const bare = done.filter(isBare);
  const goal = brief.goal.replace(/\s+/g, ' ').trim();
  const isWhole = undone.length === 0 && (parts ?? []).every((part) => part.done) && done.every((result) => result.missing.length === 0);
  const answer = blocks(
    `# ${goal.length > 110 ? `${goal.slice(0, 109)}…` : goal}`,
    isWhole ? wholeText(done) : partText(done, brief.results.length, works),
    reasons.map((line) => `- ${line}.`).join('\n'),
    ...sections(done.filter((result) => !isBare(result))),
    bare.length + undone.length > 0 ? `## Not done\n\n${[...bare.map(bareLine), ...undone.map(undoneLine)].join('\n')}` : '',
    artifactsText(done),
    isWhole ? '' : `${abilitiesText()} For the rest, set OPENAI_BASE_URL and OPENAI_API_KEY.`,
    HONESTY,
  );
  const text = done.length > 0 ? answer : blocks(answer, 'No task produced a result.');
  return { answer: text, confidence: confidenceOf(done, undone), ...(parts && { parts }) };
}

function* evidenceOf({ results }: Brief, desk: ToolDesk): Script<Evidence> {
  const made = new Set(results.flatMap((result) => result.artifacts));
  const paths = LOOKED_AT.filter((path) => made.has(path));
  const read = yield* desk.all(paths.map((path) => ({ name: 'read_file', args: { path, maxBytes: READ_BYTES } }) as const));
  const text = (path: string): string => {
    const outcome = read[paths.indexOf(path)];
    return outcome?.ok === true ? outcome.value.text : '';
  };
  return {
    profile: parseProfile(text(PROFILE_PATH)),
    report: text('report.md').replace(/^Asked for: .*$/m, ''),
    docs: text('docs/API.md'),
    resource: resourceIn(paths.filter((path) => path.startsWith('src/')).map((path) => ({ path, text: text(path) }))),
  };
}

function wholeText(done: readonly Result[]): string {
  return done.length === 1 ? 'The task is complete.' : `All ${done.length} tasks are complete.`;
}

/** @param works parts of the goal that are work of their own */
function partText(done: readonly Result[], total: number, works: readonly PartClaim[] = []): string {
  const made = works.filter((part) => part.done).length;
  if (works.length > 0 && made === 0)
    return done.some(({ artifacts }) => artifacts.length > 0)
      ? '**Partial result**: no part of the goal is done as it was asked for. What was made instead follows.'
      : '**None of this could be done.**';
  if (made < works.length && done.length === total)
    return `**Partial result**: ${made} of ${count(works.length, 'part')} of the goal ${made === 1 ? 'is' : 'are'} done.`;
  if (done.length < total) return `**Partial result**: ${done.length} of ${count(total, 'task')} completed.`;
  if (works.length > 0) return '**Partial result**: done, but not all as it was asked for.';
  const whole = done.filter((result) => result.missing.length === 0).length;
  return `**Partial result**: ${whole} of ${count(total, 'task')} did all that was asked of them.`;
}

/** What a later task says word by word like an earlier one is said once. */
function sections(results: readonly Result[]): string[] {
  const said = new Map<string, string>();
  return results.map((result) => {
    const { head, body } = section(result);
    const earlier = said.get(body);
    if (earlier === undefined) said.set(body, result.title || result.taskId);
    return `## ${head}\n\n${earlier === undefined ? body : `The same as under "${earlier}".`}`;
  });
}

function section(result: Result): { head: string; body: string } {
  const most = /analy/i.test(result.title) || result.agent === 'data-analyst' ? LINES.analysis : LINES.other;
  // What no file holds is only here.
  const lines = keptLines(result.answer ?? '', result.artifacts.length > 0 ? most : LINES.unwritten);
  const isUnsure = result.confidence !== undefined && result.confidence < 0.5 && result.missing.length === 0;
  const doubt = isUnsure ? [`(confidence ${result.confidence})`] : [];
  const by = result.agent === undefined ? '' : ` (${result.agent})`;
  return { head: `${result.title || result.taskId}${by}`, body: [...lines, ...doubt].join('\n') || 'It reported nothing.' };
}

/** The answer without its own headings, its list of files and the note that every answer has. */
function keptLines(answer: string, most: number): string[] {
  const lines = answer
    .replace(HONESTY, '')
    .split('\n')
    .filter((line) => !/^#{1,6} /.test(line) && !/^Written: /.test(line))
    .map((line) => line.trimEnd());
  const kept = lines.filter((line, index) => line !== '' || (lines[index - 1] ?? '') !== '');
  while (kept.at(-1) === '') kept.pop();
  while (kept[0] === '') kept.shift();
  if (kept.length <= most) return kept;
  return [...kept.slice(0, most), `… (${kept.length - most} more lines in what the task reported)`];
}

/** Whether a task only says that it did nothing. */
function isBare({ answer = '', missing, artifacts }: Result): boolean {
  return missing.length > 0 && artifacts.length === 0 && bareText(answer).split('\n').length === 1;
}

const bareText = (answer: string): string => answer.replace(HONESTY, '').replace(SET_A_MODEL, '').trim();

function bareLine({ title, taskId, answer = '' }: Result): string {
  const text = bareText(answer);
  return text.startsWith(`"${title.slice(0, 110)}"`) ? `- ${text}` : `- ${title || taskId}: ${text}`;
}

function undoneLine({ title, taskId, status, error }: Result): string {
  const why = error === undefined ? '' : `: ${error.replace(/\s+/g, ' ').slice(0, 300)}`;
  return `- ${title || taskId} (${status})${why}`;
}

function artifactsText(done: readonly Result[]): string {
  const lines = done
    .filter((result) => result.artifacts.length > 0)
    .map((result) => `- ${result.title || result.taskId}: ${result.artifacts.slice(0, 12).map(code).join(', ')}`);
  return lines.length > 0 ? `## Artifacts\n\n${lines.join('\n')}` : '';
}

function confidenceOf(done: readonly Result[], undone: readonly Result[]): number {
  if (done.length === 0) return 0.1;
  const lowest = Math.min(...done.map((result) => result.confidence ?? 0.5));
  return Math.round(Math.min(lowest, undone.length > 0 ? 0.5 : 1) * 100) / 100;
}
