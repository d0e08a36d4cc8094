/** The work of an agent that is code. Nothing is made for it but what it asks for: an attempt of code may take less than a millisecond. */
import type { Performance, Performer, Work } from '@cadre/agents';
import type { Blobs } from '@cadre/engine';
import { openWorkspace } from './open-workspace.js';
import type { Workspace } from './workspace.js';

export interface CodeWork extends Work {
  /** A private folder with the run's inputs and the artifacts of earlier tasks, made when it is first asked for. Files written there become artifacts. */
  workspace(): Promise<Workspace>;
  blobs: Blobs;
}

/** A `CadreError` that it rejects with becomes the attempt's failure. */
export type CodePerformer = (work: CodeWork) => Promise<Performance>;

export function codeAgent(perform: CodePerformer, blobs: Blobs, workDir: string): Performer {
  return async (work) => {
    let opened: Promise<Workspace> | undefined;
    const workspace = () => (opened ??= openWorkspace(work, workDir, blobs));
    const performance = await perform(Object.assign(work, { workspace, blobs }));
    if (opened === undefined || performance.artifacts !== undefined) return performance;
    return { ...performance, artifacts: await (await opened).collectArtifacts(blobs) };
  };
}
