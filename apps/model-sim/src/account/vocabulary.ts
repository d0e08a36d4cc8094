/**
 * The words that the rules here understand, by kind of work. A part of a goal counts as done only if each of its words is one of these, or
 * names what was worked on: a word beyond them asks for something that nobody has looked at.
 */
import type { PartKind } from '@cadre/engine';

const set = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/));

/** They ask for nothing by themselves. */
export const PLAIN = set(
  `a an the of our my your this that these those it its them they all each every any some and or to in on at from for with as by per including i we you me us please kindly
  then also next finally first now pls plz thanks thank i'd don't not forget want need would like should must can could let do does is are be was were there here which what how over into out about
  given attached following available provided complete full simple small basic short final new main overall input file data dataset csv tsv json parquet`,
);

/** Words that name a table without saying what is in it. */
const TABLE =
  'table records record figures figure numbers number readings reading rows row columns column values value measurements results result';
const MAKE = 'write create generate make produce prepare give provide show get add build implement develop draft';

export const KNOWN: Partial<Record<PartKind, ReadonlySet<string>>> = {
  analysis:
    set(`analyze analyse analysis explore examine inspect investigate profile look study identify find detect spot describe check compute calculate
    report statistics statistic summary average averages mean means median minimum maximum min max range distribution distributions difference differences
    group groups trend trends time development anomaly anomalies outlier outliers unusual extreme extremes correlation correlations relation relations
    explain tell say says show shows tells quality blank blanks duplicates duplicate stand stands ${TABLE} ${MAKE}`),
  chart: set(
    `chart charts plot plots graph graphs visualize visualise visualization visualizations draw time trend trends ${TABLE} ${MAKE}`,
  ),
  report: set(`report reports main findings stand stands ${TABLE} ${MAKE}`),
  code: set(`code script program parser module modules function functions report reports read reads parse parses typescript node rest restful api apis crud
    operation operations endpoint endpoints http server service backend web manage manages managing management handle handling list update delete
    in-memory ${MAKE}`),
  feature: set(
    'login log-in password passwords hashed hashing registration authentication auth token tokens bearer check checks validation validate input errors error handling',
  ),
  tests: set(`unit test tests testing suite run code api apis function functions report parser ${MAKE}`),
  docs: set(`document documents documentation docs describe reference api apis code function functions module modules ${TABLE} ${MAKE}`),
  review: set(`review reviews code api tests test results ${MAKE}`),
  summary: set(`summarize summarise summary sum up main findings ${TABLE} ${MAKE}`),
  unknown: set('many count counts number words word lines line characters character rows row columns column have has'),
};
