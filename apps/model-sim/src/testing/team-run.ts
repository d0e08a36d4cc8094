/** For specs: whole runs of the team on files of a folder of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Plan } from '@cadre/contracts';
import { parseProfile } from '../analysis/profile-json.js';
import { AGENTS, Team } from './team.js';
import type { TeamOutcome } from './team.js';

export const DATA = new URL('../../../../node_modules/vega-datasets/data/', import.meta.url).pathname;
export const GOAL = 'Analyze the data, generate report code, write tests, and document the API';

export type Completed = Extract<TeamOutcome, { kind: 'completed' }>;

export interface Run {
  team: Team;
  ids: string[];
  answers: Record<string, Completed>;
}

export function completed(outcome: TeamOutcome): Completed {
  if (outcome.kind === 'failed') throw new Error(`${outcome.error.code}: ${outcome.error.message}`);
  return outcome;
}

/** What several do together asks for no skill of its own. */
function agentFor(skills: string[]): string {
  if (skills.length === 0) return 'generalist';
  const found = Object.entries(AGENTS).find(([, agent]) => skills.every((skill) => agent.skills.includes(skill)));
  return found?.[0] ?? 'generalist';
}

export class TeamRuns {
  readonly #teams: Team[] = [];

  private constructor(
    readonly folder: string,
    private readonly remember: boolean,
  ) {}

  /** @param remember for many runs: tools answer what they have answered before */
  static async open(remember = false): Promise<TeamRuns> {
    return new TeamRuns(await mkdtemp(join(tmpdir(), 'cadre-model-sim-')), remember);
  }

  async close(): Promise<void> {
    for (const team of this.#teams) await team.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A file of this text. */
  async made(name: string, text: string): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, text);
    return path;
  }

  async team(goal: string, files: string[]): Promise<Team> {
    const team = await Team.of(goal, files, this.remember);
    this.#teams.push(team);
    return team;
  }

  /** Plans, works on all tasks in order, and answers. */
  async work(goal: string, files: string[]): Promise<Run> {
    const team = await this.team(goal, files);
    const planned = completed(await team.work({ kind: 'plan', id: 'plan', title: 'Plan', instructions: 'Plan.', agent: 'generalist' }));
    const { tasks } = Plan.parse(planned.plan?.plan);
    const answers: Record<string, Completed> = {};
    for (const { id, title, instructions, skills } of tasks) {
      answers[id] = completed(await team.work({ kind: 'work', id, title, instructions, agent: agentFor(skills) }));
    }
    answers['answer'] = completed(
      await team.work({ kind: 'answer', id: 'answer', title: 'Answer', instructions: 'Answer.', agent: 'generalist' }),
    );
    return { team, ids: tasks.map((task) => task.id), answers };
  }
}

/** What was planned was done, and what was made compiles, passes and tells the right things. */
export async function expectSound({ team, ids, answers }: Run): Promise<void> {
  expect(ids).toEqual(['analyze', 'code', 'test', 'docs', 'review']);
  expect(answers['code']?.answer).toContain('Type check (strict): no errors.');
  expect(answers['test']?.answer).toMatch(/^\*\*[1-9]\d* passed, 0 failed, 0 skipped\*\*/);
  expect(answers['review']?.answer).toMatch(/^\*\*Verdict: no objections\.\*\* 0 errors, 0 warnings/);
  expect(parseProfile(await team.read('data/profile.json'))?.profiles[0]?.rows).toBeGreaterThan(0);
  expect(await team.run('src/main.ts')).toMatch(/^# Report on [\s\S]*\nRows: \d+, columns: \d+\./);
  await team.workspace.write('example.ts', /```ts\n([\s\S]*?)```/.exec(await team.read('docs/API.md'))?.[1] ?? 'missing');
  expect(await team.run('example.ts')).toMatch(/^\d+\n# Report on /);
  for (const { answer } of Object.values(answers)) expect(answer).toContain('No language model was used');
  expect(answers['answer']?.answer.split('\n').length).toBeLessThan(75);
  for (const call of team.calls) expect(call).toMatchObject({ ok: true });
}
