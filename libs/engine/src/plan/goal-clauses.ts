/** What a goal's wording asks for. Words, not understanding: good enough for the template that stands in when no model has planned. */
import type { ArtifactRef } from '@cadre/contracts';

export const ASKS = ['analysis', 'code', 'tests', 'docs', 'review'] as const;
/** One kind of thing that a goal may ask for. */
export type Ask = (typeof ASKS)[number];

/** A clause that begins with such a verb is decided by it, whatever it speaks of: "document the API" asks for words, not for code. */
const VERBS: [Ask, RegExp][] = [
  ['analysis', /^(re-?)?(analy[sz]\w*|explor\w*|profil\w*|investigat\w*|visuali[sz]\w*|plot\w*|chart\w*|forecast\w*)$/],
  ['docs', /^(document\w*)$/],
  ['tests', /^(tests?|testing)$/],
  ['review', /^(review\w*|audit\w*|critique\w*)$/],
  ['code', /^(implement\w*|develop\w*|build\w*|program\w*|cod(e|ing)|refactor\w*|port|rewrite)$/],
];

/** In this order: "write tests for the code" asks for tests, "write code for the report" for code. */
const NOUNS: [Ask, RegExp][] = [
  ['tests', /\b(unit[- ]?tests?|tests?|test[- ]suites?|testing)\b/],
  ['docs', /\b(documentation|docs?|documents?|readme|manuals?|guides?|tutorials?)\b/],
  ['review', /\b(code[- ]reviews?|reviews?|audits?)\b/],
  [
    'code',
    /\b(code|scripts?|programs?|functions?|modules?|librar(y|ies)|packages?|apps?|applications?|services?|endpoints?|apis?|cli|class(es)?|features?|systems?)\b/,
  ],
  [
    'analysis',
    /\b(analys[ei]s|analytics|trends?|statistics?|anomal(y|ies)|outliers?|insights?|correlations?|distributions?|reports?|charts?|plots?)\b/,
  ],
];

const FILLERS =
  /^(please|kindly|then|also|next|finally|first|now|to|we|i|you|need|want|would|like|should|must|can|could|let|us|lets|help|me|and)$/;
const DATA_FILE = /\.(csv|tsv|json|jsonl|ndjson|parquet)$/i;
const DATA_TYPE = /(csv|tab-separated|json|parquet)/i;

function clauses(goal: string): string[] {
  return goal
    .toLowerCase()
    .split(/[,;:!?\n]+|\.(?=\s|$)|\b(?:and|then|plus)\b/)
    .map((clause) => clause.trim())
    .filter((clause) => clause.length > 0);
}

function askOf(clause: string): Ask | undefined {
  const verb = (clause.match(/[a-z][a-z'-]*/g) ?? []).find((word) => !FILLERS.test(word)) ?? '';
  for (const [ask, pattern] of VERBS) if (pattern.test(verb)) return ask;
  for (const [ask, pattern] of NOUNS) if (pattern.test(clause)) return ask;
  return undefined;
}

/** Everything that the goal asks for. Only the first 4,000 characters are looked at. */
export function asksOf(goal: string): Set<Ask> {
  const asks = new Set<Ask>();
  for (const clause of clauses(goal.slice(0, 4000))) {
    const ask = askOf(clause);
    if (ask) asks.add(ask);
  }
  return asks;
}

/** Whether an input is a table that the data tools can read, by its name or its type. */
export function isData(input: ArtifactRef): boolean {
  return DATA_FILE.test(input.name) || DATA_TYPE.test(input.mediaType);
}
