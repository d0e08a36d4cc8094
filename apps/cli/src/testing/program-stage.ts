/** Where a spec runs the program: a folder with a file, and a gateway that stands in for the real one. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StandInGateway, type StandInOptions } from '@cadre/sdk/testing';
import { runProgram } from '../program.js';
import { type RecordedTerminal, recordedTerminal } from './recorded-terminal.js';

export class ProgramStage {
  private standIn: StandInGateway | undefined;

  private constructor(readonly cwd: string) {}

  static async open(): Promise<ProgramStage> {
    const cwd = await mkdtemp(join(tmpdir(), 'cli-spec-'));
    await writeFile(join(cwd, 'rain.csv'), 'day,mm\n1,2\n');
    return new ProgramStage(cwd);
  }

  /** That of the last `terminalFor`. */
  get gateway(): StandInGateway {
    if (!this.standIn) throw new Error('no gateway yet: ask for a terminal first');
    return this.standIn;
  }

  /** A terminal that knows a gateway of its own. */
  async terminalFor(options: StandInOptions = {}): Promise<RecordedTerminal> {
    this.standIn = await StandInGateway.start(options);
    return recordedTerminal({ cwd: this.cwd, env: { CADRE_URL: this.standIn.url } });
  }

  /** Starts a run without waiting for it. @returns its id */
  async started(goal: string, { env }: RecordedTerminal): Promise<string> {
    const other = recordedTerminal({ cwd: this.cwd, env });
    if ((await runProgram(['run', goal, '--detach'], other)) !== 0) throw new Error(other.stderr.join('\n'));
    return other.stdout[0]!;
  }

  async close(): Promise<void> {
    await this.standIn?.stop();
    await rm(this.cwd, { recursive: true, force: true });
  }
}
