/** In which language a text is, told by its script and its most frequent small words. */

/** Small words that a language has and its neighbours mostly have not. */
const SMALL_WORDS: Record<string, string> = {
  en: 'the and of to is in that it for with as was are this be by on not have from or which at but they has their were been will would there what',
  fr: 'le la les des est et une un dans que qui pour pas sur avec plus ce cette sont par du au aux il elle nous vous ont été mais ou où ses leur',
  de: 'der die das und ist nicht ein eine zu den mit von auf für im dem sich auch als an es werden wird sind aus bei nach wie einen haben oder dass',
  es: 'el los las y en que es una un por con para se del al lo más como pero sus su está han ha son este esta entre cuando muy sin sobre',
  it: 'il gli che di è e una un per con non del della sono si da nel alla più come ma anche questo questa le dei ha hanno delle suo',
  pt: 'o os as e que é uma um para com não do da em por mais como mas foi dos das ao são está seu sua pelo pela também já ou',
  nl: 'de het een en van is dat niet in op te zijn voor met die aan er maar ook als bij door wordt worden naar uit over heeft dit deze',
  sv: 'och att det som en är på av för med den till inte har ett om var de från men så sig kan vid eller när efter också',
  da: 'og at det som en er på af for med den til ikke har et om var de fra men så sig kan ved eller når efter også der blev',
  no: 'og at det som en er på av for med den til ikke har et om var de fra men så seg kan ved eller når etter også ble hvor',
  fi: 'ja on ei se että oli hän mutta kun niin myös ovat tai kuin joka ole sen jos vain nyt sekä ollut tämä mukaan',
  pl: 'i w na z nie się do że to jest jak od po dla za co przez ale są był oraz przy tym tego może przed tylko już',
  cs: 'a v na se je že to s z do o i pro jako za ale si by jsou být po tak jeho bylo které který také podle',
  tr: 've bir bu da de için ile olarak çok daha olan gibi kadar sonra ancak ne her ama en var değil olduğu ise',
  vi: 'và của là có không được cho trong một các đã với này những người khi để từ đến cũng như về',
};
const SETS = Object.entries(SMALL_WORDS).map(([code, words]) => [code, new Set(words.split(' '))] as const);

const SCRIPTS: readonly [string, RegExp][] = [
  ['ja', /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ['ko', /\p{Script=Hangul}/gu],
  ['zh', /\p{Script=Han}/gu],
  ['ru', /\p{Script=Cyrillic}/gu],
  ['ar', /\p{Script=Arabic}/gu],
  ['he', /\p{Script=Hebrew}/gu],
  ['el', /\p{Script=Greek}/gu],
  ['th', /\p{Script=Thai}/gu],
  ['hi', /\p{Script=Devanagari}/gu],
];

/** What is written for people: without code, links and names of files. */
function proseOf(text: string): string {
  return text
    .replace(/```[\s\S]*?(```|$)/g, ' ')
    .replace(/`[^`\n]*`/g, ' ')
    .replace(/https?:\S+|\S+\.[a-z]{2,4}\b/gi, ' ');
}

/** The ISO code of a text's language; undefined where it cannot be told. */
export function languageOf(text: string): string | undefined {
  const prose = proseOf(text);
  const letters = prose.match(/\p{L}/gu)?.length ?? 0;
  if (letters === 0) return undefined;
  for (const [code, letter] of SCRIPTS) {
    const found = prose.match(letter)?.length ?? 0;
    // A Japanese text is mostly Han; its kana give it away.
    if (found / letters < (code === 'ja' ? 0.1 : 0.4)) continue;
    return code === 'ru' && /[іїєґ]/i.test(prose) ? 'uk' : code;
  }
  const words = prose.toLowerCase().match(/\p{L}+/gu) ?? [];
  const scores = SETS.map(([code, set]) => ({ code, hits: words.filter((word) => set.has(word)).length }));
  const [best, second] = scores.sort((a, b) => b.hits - a.hits);
  return best === undefined || best.hits === 0 || (words.length > 20 && best.hits < 3) || best.hits === second?.hits
    ? undefined
    : best.code;
}
