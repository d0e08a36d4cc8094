import type { RunId, RunLinks } from '@cadre/contracts';

export function runPath(runId: RunId): string {
  return `/v1/runs/${runId}`;
}

export function artifactPath(runId: RunId, name: string): string {
  return `${runPath(runId)}/artifacts/${name.split('/').map(encodeURIComponent).join('/')}`;
}

export function runLinks(runId: RunId): RunLinks {
  const self = runPath(runId);
  return {
    self,
    events: `${self}/events`,
    calls: `${self}/calls`,
    questions: `${self}/questions`,
    artifacts: `${self}/artifacts`,
    answer: `${self}/answer`,
    cancel: `${self}/cancel`,
  };
}
