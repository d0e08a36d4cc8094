import { CadreError } from '@cadre/contracts';
import type { ArtifactRef, Assignment } from '@cadre/contracts';

/** What a task hands on of the files that it has made. A share is a file, or a folder. Error: `artifact-missing`. */
export function sharedArtifacts({ shares }: Pick<Assignment, 'shares'>, made: ArtifactRef[]): ArtifactRef[] {
  if (shares === undefined) return made;
  const isOf = (share: string, name: string) => name === share || name.startsWith(`${share}/`);
  const missing = shares.filter((share) => !made.some(({ name }) => isOf(share, name)));
  if (missing.length === 0) return made.filter(({ name }) => shares.some((share) => isOf(share, name)));
  const wrote =
    made.length === 0
      ? 'It wrote no file.'
      : `It wrote ${made
          .slice(0, 10)
          .map(({ name }) => name)
          .join(', ')}.`;
  throw new CadreError('artifact-missing', `The task has to leave ${missing.join(', ')}. ${wrote}`, { retriable: true });
}
