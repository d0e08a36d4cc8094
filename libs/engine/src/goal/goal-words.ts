/**
 * What words of a goal ask for. Words, not understanding: a goal in words that are not here is one part of an unknown kind, and of that
 * nothing is taken for granted. English has the most; French, German, Spanish and Chinese are read by the lexicon, of others those words
 * that name a kind of work.
 */
import { inEnglish } from './goal-lexicon.js';

export type WorkKind =
  | 'analysis'
  | 'chart'
  | 'report'
  | 'code'
  | 'tests'
  | 'docs'
  | 'review'
  | 'design'
  | 'research'
  | 'summary'
  | 'translation'
  | 'text'
  | 'deployment';

/** What a clause asks for that begins with such a verb, whatever it speaks of: "document the API" asks for words, not for code. */
const VERBS: readonly [WorkKind, RegExp][] = [
  [
    'analysis',
    /^(re-?)?(analy[sz]\p{L}*|analiz\p{L}*|analis\p{L}*|explor\p{L}*|profil(e|ing)|investigat\p{L}*|examin\p{L}*|untersuch\p{L}*|(про)?анализиру\p{L}*|przeanalizuj|analysera)$/u,
  ],
  ['chart', /^(visuali[sz]\p{L}*|plot\p{L}*|chart|graph)$/u],
  ['docs', /^(document(?!ation)\p{L}*|dokumentier\p{L}*)$/u],
  ['tests', /^(test|testing|teste|testez)$/u],
  ['review', /^(review\p{L}*|audit\p{L}*|critique\p{L}*|überprüf\p{L}*)$/u],
  ['translation', /^(translat\p{L}*|übersetz\p{L}*|tradui\p{L}*|traduz\p{L}*|traduc\p{L}*|vertaal|переведи|перевод\p{L}*)$/u],
  ['summary', /^(summari[sz]\p{L}*|résum\p{L}*|resum\p{L}*|riassum\p{L}*|zusammenfass\p{L}*)$/u],
  ['research', /^(research\p{L}*|survey\p{L}*|recherchier\p{L}*)$/u],
  ['design', /^(design\p{L}*|architect\p{L}*|entwirf|entwerfe\p{L}*)$/u],
  ['deployment', /^(deploy\p{L}*|publish\p{L}*|releas(e|ing)|install\p{L}*|host|launch)$/u],
  [
    'code',
    /^(implement\p{L}*|develop\p{L}*|build\p{L}*|program|programm(iere\p{L}*|ing)|cod(e|ing)|refactor\p{L}*|port|debug\p{L}*|fix|entwickl\p{L}*|développ\p{L}*|desarroll\p{L}*)$/u,
  ],
];

/** Words of every script, not as parts of longer ones. */
function whole(words: string): RegExp {
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${words})(?![\\p{L}\\p{N}])`, 'u');
}

/** In this order: "write tests for the code" asks for tests, "write code for the report" for code. */
const NOUNS: readonly [WorkKind, RegExp][] = [
  ['tests', whole('unit[- ]?tests?|tests?|test[- ]suites?|testing|тесты|testy|pruebas')],
  ['docs', whole('documentation|docs|readme|user manuals?|dokumentation|documentación')],
  ['review', whole('code[- ]reviews?|reviews?|audits?')],
  ['chart', whole('charts?|plots?|graphs?|histograms?|heat ?maps?|diagrams?|visuali[sz]ations?|diagramm\\p{L}*|graphiques?|gráficos?')],
  [
    'code',
    whole(
      'code|scripts?|programs?|functions?|modules?|librar(?:y|ies)|packages?|apps?|applications?|(?:web |micro-?|backend )services?|endpoints?|apis?|crud|cli|class(?:es)?|systems?|backend|frontend|web ?sites?|web ?pages?|landing pages?|quer(?:y|ies)|parsers?|bugs?',
    ),
  ],
  ['summary', whole('summar(?:y|ies)|abstract|zusammenfassung|résumé|resumen|riassunto')],
  ['report', whole('reports?|berichte?s?|rapports?|informes?|relatóri\\p{L}*|отч[её]т\\p{L}*')],
  [
    'analysis',
    whole(
      'analys[ei]s|analytics|stands? out|findings?|trends?|statistics?|anomal(?:y|ies)|outliers?|unusual values|correlations?|distributions?|data quality|averages?',
    ),
  ],
];

/** Verbs that say no more than that something is to be there: what it is, the noun says. */
const MAKING =
  /^(writ(e|ing)|draft|compos(e|ing)|creat(e|ing)|generat(e|ing)|mak(e|ing)|produc(e|ing)|prepar(e|ing)|add|giv(e|ing)|show|provid(e|ing)|draw|set|get|schreibe?|erstelle?|écri(s|re|vez)|escrib(e|ir)|scrivi|skriv|напиши|napisz)$/u;
const OTHER_VERBS =
  /^(e?mail|send|predict|forecast|segment|cluster|train|clean|validate|extract|synthesi[sz]e|combine|merge|join|plan|explain|list|tell|say|answer|calculate|compute|count|convert|check|verify|run|optimi[sz]e|refine|evaluate|identify|detect|find|spot|compare|assess|proofread|edit|rewrite|rank|sort|filter|search|monitor|migrate|upload|download|book|order|schedule|describe|discuss|recommend|suggest|outline|leave|remove|delete|use|save|store|export|import|read|load|open|deliver|present|ask|call|remind|notify|collect|gather|fetch|scrape|measure|estimate|classify|label|group|integrate|configure|monitor|improve|update|upgrade|include|ensure|highlight|point|propose|define|do|help|turn|fill|format|sketch|brainstorm|negotiate|pay|buy|sell|sign|apply|register|invite|record|play|sing|paint|print)$/u;

/** Verbs whose "with" belongs to them: "compare A with B" asks for no B. */
export const TAKES_WITH =
  /^(compare|join|merge|combine|replace|help|integrate|start|begin|deal|work|connect|match|fill|segment|cluster|talk|agree)$/;

const FILLERS =
  /^(please|kindly|bitte|then|also|next|finally|first|firstly|second|third|lastly|now|to|we|i|you|need|want|would|like|should|must|can|could|let|us|let's|lets|help|me|and|so|but|a|an|the|some|my|our|your|i'd|it|pls|plz)$/;

/** "Explain what the data says": no more than what there is to say of a table. */
const OF_DATA =
  /\b(data|dataset|table|figures|numbers)\b.*\b(says?|shows?|tells?)( us| me)?\W*$|\b(explain|describe)( me| us)? (the |this |these |my |our )?(data|dataset|table|figures|numbers)\W*$/i;

export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{M}\p{N}'’_-]*/gu) ?? [];
}

/** The first word that is more than politeness or an article. */
export function leadingWord(clause: string): string {
  return wordsOf(inEnglish(clause)).find((word) => !FILLERS.test(word)) ?? '';
}

/** Whether a clause says by its first word that something is to be done. */
export function beginsWithVerb(clause: string): boolean {
  const word = leadingWord(clause);
  return MAKING.test(word) || OTHER_VERBS.test(word) || VERBS.some(([, pattern]) => pattern.test(word));
}

export function kindOfNoun(clause: string): WorkKind | undefined {
  const lower = inEnglish(clause).toLowerCase();
  return NOUNS.find(([, pattern]) => pattern.test(lower))?.[0];
}

/** What kinds of things a text says are not to be made; none where it forbids something else than their being made. */
export function kindsForbidden(text: string): WorkKind[] {
  const word = leadingWord(text);
  const verb = VERBS.find(([, pattern]) => pattern.test(word))?.[0];
  if (verb !== undefined && verb !== 'code') return [verb];
  if (OTHER_VERBS.test(word)) return [];
  const lower = inEnglish(text).toLowerCase();
  return NOUNS.filter(([, pattern]) => pattern.test(lower)).map(([kind]) => kind);
}

/** What a clause asks for; undefined where its words do not tell. */
export function kindOfClause(clause: string): WorkKind | undefined {
  const word = leadingWord(clause);
  const verb = VERBS.find(([, pattern]) => pattern.test(word))?.[0];
  if (verb !== undefined) return verb;
  const noun = kindOfNoun(clause);
  if (MAKING.test(word))
    return noun ?? (/^(writ|draft|compos|schreib|écri|escrib|scriv|skriv|напиш|napisz)/.test(word) ? 'text' : undefined);
  if (noun === undefined && /^(explain|describe|tell|say|what|show)$/.test(word) && OF_DATA.test(inEnglish(clause))) return 'analysis';
  if (/^(identify|detect|find|spot|compare|calculate|compute|check|describe|list|count)$/.test(word))
    return noun === 'code' ? undefined : noun;
  return OTHER_VERBS.test(word) ? undefined : noun;
}
