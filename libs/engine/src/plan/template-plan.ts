import type { ArtifactRef, Plan } from '@cadre/contracts';

export type TemplateKind = 'analysis' | 'development' | 'mixed' | 'generic';

/** The plan that a goal's wording asks for, without a model. Always valid. */
export function templatePlan(_goal: string, _inputs: readonly ArtifactRef[]): { plan: Plan; kind: TemplateKind } {
  throw new Error('to come');
}
