/** What a goal demands of its results beside what they are: a language, a format, a length, a file by name. */
export type Demand =
  | { kind: 'language'; code: string }
  | { kind: 'format'; endings: string[] }
  | { kind: 'length'; most: number; unit: 'words' | 'sentences' | 'bullets' | 'characters' | 'lines' | 'paragraphs' }
  | { kind: 'file'; name: string }
  /** What must not be there, or not be done. */
  | { kind: 'without'; of: string };

export interface FoundDemand {
  text: string;
  demand: Demand;
}

/** By ISO code: how languages are called, in themselves and by their neighbours. */
const LANGUAGES: Record<string, string> = {
  en: 'english|englisch|anglais|inglés|inglese|inglês|engelska|английском|英语|英文|英語',
  fr: 'french|français|francais|französisch|francés|francese|francês|franska|французском|法语|法文|フランス語',
  de: 'german|deutsch|allemand|alemán|tedesco|alemão|tyska|немецком|德语|德文|ドイツ語',
  es: 'spanish|español|espanol|spanisch|espagnol|spagnolo|espanhol|spanska|испанском|西班牙语|スペイン語',
  it: 'italian|italiano|italienisch|italien|italienska|итальянском|意大利语|イタリア語',
  pt: 'portuguese|português|portugues|portugiesisch|portugais|portugués|portoghese',
  nl: 'dutch|nederlands|niederländisch|néerlandais',
  sv: 'swedish|svenska|schwedisch|suédois',
  da: 'danish|dansk|dänisch',
  no: 'norwegian|norsk|norwegisch',
  fi: 'finnish|suomeksi|finnisch',
  pl: 'polish|polsku|polnisch|polonais',
  cs: 'czech|česky|tschechisch',
  tr: 'turkish|türkçe|türkisch',
  ru: 'russian|russisch|russe|ruso|русском|俄语|ロシア語',
  uk: 'ukrainian|українською|ukrainisch',
  el: 'greek|ελληνικά|griechisch',
  ar: 'arabic|العربية|arabisch|arabe',
  he: 'hebrew|עברית',
  hi: 'hindi|हिन्दी|हिंदी',
  zh: 'chinese|mandarin|chinesisch|chinois|chino|中文|汉语|китайском',
  ja: 'japanese|japanisch|japonais|japonés|日本語|日语|японском',
  ko: 'korean|koreanisch|coréen|한국어|韩语',
  th: 'thai|ไทย',
  vi: 'vietnamese|tiếng việt',
};

const FORMATS: readonly [RegExp, string[]][] = [
  [/pdf/, ['pdf']],
  [/excel|xlsx?|spreadsheet/, ['xlsx', 'xls']],
  [/word document|docx?/, ['docx', 'doc']],
  [/powerpoint|pptx?|slides?|slide deck/, ['pptx', 'ppt']],
  [/csv/, ['csv']],
  [/json/, ['json', 'jsonl', 'ndjson']],
  [/xml/, ['xml']],
  [/ya?ml/, ['yaml', 'yml']],
  [/html/, ['html', 'htm']],
  [/latex/, ['tex']],
  [/markdown/, ['md']],
  [/parquet/, ['parquet']],
  [/svg/, ['svg']],
  [/png/, ['png']],
  [/typescript/, ['ts', 'tsx']],
  [/javascript|node\.?js/, ['js', 'mjs', 'ts']],
  [/python/, ['py']],
  [/rust/, ['rs']],
  [/golang|go/, ['go']],
  [/java/, ['java']],
  [/kotlin/, ['kt']],
  [/swift/, ['swift']],
  [/ruby/, ['rb']],
  [/php/, ['php']],
  [/c\+\+/, ['cpp', 'cc', 'hpp']],
  [/c#/, ['cs']],
  [/bash|shell/, ['sh']],
  [/sql/, ['sql']],
];

const FORMAT_WORDS =
  'pdf|excel|xlsx?|word document|docx?|powerpoint|pptx?|slides?|csv|json|xml|ya?ml|html|latex|markdown|parquet|svg|png|typescript|javascript|node\\.?js|python|rust|golang|go|java|kotlin|swift|ruby|php|c\\+\\+|c#|bash|shell|sql';
const NUMBERS: Record<string, number> = { one: 1, two: 2, three: 3, four: 4, five: 5, six: 6, seven: 7, eight: 8, nine: 9, ten: 10 };
const NUMBER = `\\d[\\d,]*|${Object.keys(NUMBERS).join('|')}`;

const LANGUAGE = new RegExp(
  `(?:\\b(?:in|into|to|auf|en|em|på|in het|na|po|на)\\s+(?:the\\s+)?|用)(${Object.values(LANGUAGES).join('|')})(?:(?![\\p{L}])|(?<=\\p{Script=Han}))(?:\\s+language)?|(ελληνικά|suomeksi|türkçe|українською)`,
  'iu',
);
const FORMAT = new RegExp(
  `(?:\\b(?:as|in|to|into|als|au format|en formato|using)\\s+(?:an?\\s+)?|用\\s*)(${FORMAT_WORDS})(?:(?![\\p{L}\\p{N}+#])|(?=\\p{Script=Han}))(?:\\s+(?:format|file|table|document))?`,
  'iu',
);
const FORMATTED = new RegExp(
  `\\b(${FORMAT_WORDS})\\s+(?=(?:report|document|version|export|presentation|summary|script|program)s?\\b)`,
  'iu',
);
const LENGTH = new RegExp(
  `\\b(?:(?:in|within|with)\\s+)?(?:under|at most|no more than|not more than|fewer than|less than|up to|a maximum of|max\\.?|in|within|exactly)\\s+(${NUMBER})\\s+(?:short\\s+)?(words?|sentences?|bullet points|bullets|characters|lines?|paragraphs?)\\b`,
  'iu',
);
const FILE =
  /(?<![\w./:@-])((?:[\w-]+\/)*[\w-][\w.-]*\.(?:csv|tsv|json|jsonl|ndjson|geojson|parquet|xlsx?|pdf|docx?|pptx?|txt|md|rst|html?|xml|ya?ml|toml|sql|py|tsx?|jsx?|mjs|java|go|rs|rb|php|cpp|hpp|cs|sh|ipynb|log|png|jpe?g|gif|svg|mp3|mp4|wav|zip|db|sqlite))(?![\w/])/gi;
/** What is said not to be done; "do not forget" is none. */
const NOT_TO =
  /^(?:(?:please|but|and)\s+)*(?:do not|don['’]t|never|must not)\s+(?!forget|hesitate|omit|skip|miss|just|only|leave out)(.+)$/iu;
const NONE =
  /^(?:(?:please|write|add|create|make|generate|include|und|schreibe?|erstelle?)\s+)*(?:no|keine?[nm]?)\s+(?!more\b|less\b|fewer\b|later\b|longer\b|olvid)(.+)$/iu;
const NE_PAS = /^(?:(?:mais|et)\s+)?(?:ne\s+|n['’])(?!oubli)(\p{L}.*?\s+pas(?:\s.+)?|pas\s.+)$/iu;
const HAN_NOT = /^(?:请)?(?:不要|请勿|别|无需|不用|不必)(?!忘)(.+)$/u;
const WITHOUT = /[\s,]*(?<![\p{L}])(?:without|ohne|sans|sin)\s+(?:any\s+)?(.+)$/iu;
/** Names of products that look like files. */
const NO_FILE = /^(node|next|vue|d3|three|react|express|nuxt|angular|chart|socket|p5|ember|backbone|alpine|nest|asp|deno|electron)\.\w+$/i;

function codeOfLanguage(name: string): string {
  const lower = name.toLowerCase();
  return Object.entries(LANGUAGES).find(([, names]) => names.split('|').includes(lower))?.[0] ?? 'en';
}

/** The language that a phrase names, wherever it stands: "into Spanish". */
export function languageNamed(text: string): string | undefined {
  const match = LANGUAGE.exec(text);
  return match ? codeOfLanguage(match[1] ?? match[2] ?? '') : undefined;
}

function endingsOf(name: string): string[] {
  return FORMATS.find(([pattern]) => pattern.test(name.toLowerCase()))?.[1] ?? [];
}

function lengthOf(number: string, unit: string): Demand {
  const most = NUMBERS[number.toLowerCase()] ?? Number(number.replaceAll(',', ''));
  const plural = unit
    .toLowerCase()
    .replace(/^bullet points$/, 'bullets')
    .replace(/([^s])$/, '$1s');
  return { kind: 'length', most, unit: plural as 'words' };
}

const FORBIDDING = [NOT_TO, NONE, NE_PAS, HAN_NOT, WITHOUT];

type Reader = [RegExp, (match: RegExpExecArray) => Demand];

const READERS: readonly Reader[] = [
  [LANGUAGE, (match) => ({ kind: 'language', code: codeOfLanguage(match[1] ?? match[2] ?? '') })],
  [LENGTH, ([, number = '', unit = '']) => lengthOf(number, unit)],
  [FORMAT, ([, name = '']) => ({ kind: 'format', endings: endingsOf(name) })],
  [FORMATTED, ([, name = '']) => ({ kind: 'format', endings: endingsOf(name) })],
  ...FORBIDDING.map((pattern): Reader => [pattern, ([, of = '']) => ({ kind: 'without', of })]),
];

/** Whether a clause ends in saying what must not be: what is joined to it without a verb must not be, either. */
export function forbids(clause: string): boolean {
  return FORBIDDING.some((pattern) => pattern.test(clause.trim()));
}

/** Takes the demands out of a clause. @returns the clause without them */
export function takeDemands(clause: string): { rest: string; demands: FoundDemand[] } {
  let rest = clause;
  const demands: FoundDemand[] = [];
  for (const [pattern, read] of READERS) {
    const match = pattern.exec(rest);
    if (!match) continue;
    demands.push({ text: match[0].trim(), demand: read(match) });
    rest = `${rest.slice(0, match.index)} ${rest.slice(match.index + match[0].length)}`.replace(/\s+/g, ' ').trim();
  }
  return { rest, demands };
}

/** Files that a text names, each once. */
export function filesNamed(text: string): FoundDemand[] {
  const names = [...text.matchAll(FILE)].map(([, name = '']) => name).filter((name) => !NO_FILE.test(name));
  return [...new Set(names)].map((name) => ({ text: name, demand: { kind: 'file', name } }));
}
