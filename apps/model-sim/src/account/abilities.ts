/** What can be done without a language model, and what of a goal surely cannot. */
import type { GoalPart } from '@cadre/engine';
import { isData, isText } from '../analysis/files.js';
import { resourceOf } from '../codegen/resource-code.js';

interface Input {
  name: string;
  mediaType: string;
}

/** What it can do, in a sentence. */
export function abilitiesText(): string {
  return (
    'Without a language model Cadre can profile, analyse and chart data files (CSV, TSV, JSON, NDJSON, Parquet) and report on them; write, test, document and review ' +
    'code that reads such a file, or a REST interface of a named resource, with or without registration and login; count the words of texts and quote sentences from them.'
  );
}

/** Whether a part of a goal needs more than that: of the rest it shows only afterwards. */
export function isBeyond({ kind, text, demand }: GoalPart, inputs: readonly Input[]): boolean {
  const hasData = inputs.some(({ name }) => isData(name));
  switch (kind) {
    case 'analysis':
    case 'chart':
    case 'report':
      return !hasData;
    case 'summary':
      return !hasData || inputs.some(({ name, mediaType }) => isText(name, mediaType) && !isData(name));
    case 'code':
      return !hasData && resourceOf(text) === undefined;
    case 'file':
      return demand?.kind === 'file' && !inputs.some(({ name }) => name.toLowerCase() === demand.name.split('/').at(-1)?.toLowerCase());
    case 'language':
      return !(demand?.kind === 'language' && demand.code === 'en');
    case 'translation':
    case 'text':
    case 'research':
    case 'deployment':
    case 'design':
      return true;
    default:
      return false;
  }
}
