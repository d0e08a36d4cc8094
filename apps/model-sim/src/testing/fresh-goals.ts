/**
 * Goals written from the README alone, by somebody who had not read the code that answers them, each with what the right outcome is, judged
 * before any of them was run. They are data: a goal is never changed to suit the system. What came of them is in docs/RELIABILITY.md.
 */

/** What a run left behind, as the person who asked sees it. */
export interface Outputs {
  /** The files of the answer, by name. */
  readonly files: ReadonlyMap<string, string>;
  /** The answer's text without the passage that names what is not done. */
  readonly answer: string;
}

/** Something the goal asks for. */
export interface Wish {
  readonly what: string;
  /** What of the goal's words has to stand in `missing` where the wish is not met. */
  readonly named: RegExp;
  /** Whether the wish is met, as a person would look for it in what came out. */
  readonly met: (outputs: Outputs) => boolean;
  /** `done`: the README promises it. `missing`: nothing without a language model can do it. `either`: done or named, but one of the two. */
  readonly right: 'done' | 'missing' | 'either';
}

/** A goal, its file, and what has to come of it. */
export interface FreshGoal {
  readonly id: string;
  readonly language: 'en' | 'fr' | 'de' | 'es' | 'zh';
  readonly goal: string;
  readonly input?: keyof typeof FRESH_FILES;
  readonly wishes: readonly Wish[];
  /** What the goal says must not be there. */
  readonly unwanted?: (outputs: Outputs) => boolean;
}

/** The files that the goals come with. */
export const FRESH_FILES = {
  'sales.csv': `month,region,product,units,revenue
2026-01,North,Lamp,10,1000
2026-01,South,Lamp,8,800
2026-01,North,Chair,5,750
2026-02,South,Chair,7,1050
2026-02,North,Lamp,12,1200
2026-02,South,Desk,2,900
2026-03,North,Desk,4,1800
2026-03,South,Lamp,9,900
2026-03,North,Chair,6,900
`,
  'customers.csv': `id,name,email,age,city,spend
1,Ana,ana@example.org,34,Lyon,120
2,Bo,,41,Oslo,80
3,Cy,cy@example.org,,Lyon,200
4,Di,di@example.org,29,Oslo,60
4,Di,di@example.org,29,Oslo,60
5,Ed,not-an-email,52,Lyon,340
`,
  'letter.txt': `Dear Ms Moreau,

from 1 March the rent of the flat in 12 Mill Lane rises from 900 to 950 euros a month, because the heating has been replaced.
Please sign the enclosed sheet and send it back by 15 February. If you do not agree, call the office before that date.

Kind regards,
J. Petit
`,
  'orders.json': JSON.stringify([
    { id: 1, customer: 'Ana', total: 40, status: 'paid' },
    { id: 2, customer: 'Bo', total: 25, status: 'open' },
    { id: 3, customer: 'Cy', total: 71, status: 'paid' },
    { id: 4, customer: 'Ana', total: 13, status: 'cancelled' },
  ]),
  'access.log': `10.0.0.1 - - [02/Feb/2026:10:00:00] "GET / HTTP/1.1" 200 512
10.0.0.2 - - [02/Feb/2026:10:00:01] "GET /cart HTTP/1.1" 500 87
10.0.0.1 - - [02/Feb/2026:10:00:02] "POST /order HTTP/1.1" 500 87
10.0.0.3 - - [02/Feb/2026:10:00:05] "GET / HTTP/1.1" 200 512
10.0.0.3 - - [02/Feb/2026:10:00:09] "GET /cart HTTP/1.1" 500 87
`,
  'feedback.csv': `date,rating,comment
2026-01-02,5,Lovely lamp and quick delivery
2026-01-03,1,Arrived broken and nobody answers the phone
2026-01-04,2,The box was open and a leg was broken
2026-01-05,4,Good value
`,
  'app.js': `const express = require('express');
const app = express();
app.get('/user', (req, res) => db.query("SELECT * FROM users WHERE name = '" + req.query.name + "'", (e, rows) => res.send(rows)));
app.listen(3000);
`,
} as const;

const all = (o: Outputs) => [o.answer, ...[...o.files].map(([name, text]) => `${name}\n${text}`)].join('\n');
const says =
  (...res: RegExp[]) =>
  (o: Outputs) =>
    res.every((re) => re.test(all(o)));
const file =
  (name: RegExp, text = /./u) =>
  (o: Outputs) =>
    [...o.files].some(([n, t]) => name.test(n) && text.test(t));
const never = () => false;
/** Figures may be grouped or have decimals: 5650, 5,650.00. */
const PER_REGION = says(/\b5,?650\b/u, /\b3,?650\b/u);
const PER_CITY = says(/\b220\b/u, /\b66\.6/u);
const TESTS = file(/test/iu);
const REPORT = (o: Outputs) => says(/\b1,?033\.3|\b9,?300\b/u)(o);
const CODE = file(/\.(?:[cm]?[jt]s|py|go|java|rb)$/u);
const ANALYSIS = (named: RegExp): Wish => ({ what: 'the analysis of the sales', named, met: REPORT, right: 'done' });

export const FRESH_GOALS: readonly FreshGoal[] = [
  {
    id: 'en-question-figures',
    language: 'en',
    goal: 'What is the total revenue per region? Which product sold best?',
    input: 'sales.csv',
    wishes: [
      { what: 'revenue per region', named: /region/iu, met: PER_REGION, right: 'either' },
      { what: 'the best product', named: /product/iu, met: says(/Lamp[^\n]*\b(?:39|3,?900)\b/u), right: 'either' },
    ],
  },
  {
    id: 'en-letter-summary',
    language: 'en',
    goal: 'Summarise this letter.txt in three sentences.',
    input: 'letter.txt',
    wishes: [{ what: 'the summary', named: /summari[sz]e/iu, met: never, right: 'missing' }],
  },
  {
    id: 'en-clean',
    language: 'en',
    goal: 'Clean the customer data: drop duplicates, fill in missing ages with the median, and save it as clean.csv',
    input: 'customers.csv',
    wishes: [{ what: 'the clean file', named: /clean/iu, met: file(/clean\.csv$/u, /3,Cy,cy@example\.org,\d/u), right: 'either' }],
  },
  {
    id: 'en-email',
    language: 'en',
    goal: 'Compute the monthly totals and send an email with them to ops@example.org',
    input: 'sales.csv',
    wishes: [
      { what: 'the monthly totals', named: /monthly/iu, met: says(/\b2,?550\b/u, /\b3,?150\b/u, /\b3,?600\b/u), right: 'either' },
      { what: 'the e-mail', named: /e-?mail/iu, met: never, right: 'missing' },
    ],
  },
  {
    id: 'en-deploy',
    language: 'en',
    goal: 'Deploy the app to AWS',
    wishes: [{ what: 'the deployment', named: /deploy/iu, met: never, right: 'missing' }],
  },
  {
    id: 'en-call-api',
    language: 'en',
    goal: 'Call https://api.example.org/rates and convert the revenue column to euros',
    input: 'sales.csv',
    wishes: [
      { what: 'the call', named: /call|rates/iu, met: never, right: 'missing' },
      { what: 'the conversion', named: /convert/iu, met: never, right: 'missing' },
    ],
  },
  {
    id: 'en-png',
    language: 'en',
    goal: 'Draw a bar chart of revenue by month as PNG',
    input: 'sales.csv',
    wishes: [{ what: 'the PNG', named: /png/iu, met: file(/\.png$/u), right: 'either' }],
  },
  {
    id: 'en-numbered-python-no-tests',
    language: 'en',
    goal: '1. Compute the average spend per city\n2. Write a Python script that does the same\n3. Do not write tests',
    input: 'customers.csv',
    wishes: [
      { what: 'the averages', named: /average|spend|city/iu, met: PER_CITY, right: 'either' },
      { what: 'a Python script', named: /python/iu, met: file(/\.py$/u, /city/u), right: 'either' },
    ],
    unwanted: TESTS,
  },
  {
    id: 'en-prime',
    language: 'en',
    goal: 'Write a Python function that checks whether a number is prime, with unit tests',
    wishes: [
      { what: 'the function', named: /prime|python/iu, met: file(/\.py$/u, /prime/u), right: 'either' },
      { what: 'its tests', named: /test|prime/iu, met: file(/test/iu, /prime/u), right: 'either' },
    ],
  },
  {
    id: 'en-todo-go',
    language: 'en',
    goal: 'Build a REST API for todo lists in Go',
    wishes: [
      { what: 'an API for todo lists', named: /todo/iu, met: file(/\.(?:go|[cm]?[jt]s|py)$/u, /todo/iu), right: 'either' },
      { what: 'in Go', named: /\bGo\b/u, met: file(/\.go$/u), right: 'either' },
    ],
  },
  {
    id: 'en-vague',
    language: 'en',
    goal: 'Do something useful',
    wishes: [{ what: 'whatever it is', named: /useful|something/iu, met: never, right: 'missing' }],
  },
  {
    id: 'en-max-words',
    language: 'en',
    goal: 'Explain in no more than 200 words what this data says',
    input: 'sales.csv',
    wishes: [
      ANALYSIS(/explain|data/iu),
      {
        what: 'no more than 200 words',
        named: /200 words/iu,
        met: (o) => [...o.files].some(([name, text]) => /\.md$/u.test(name) && text.split(/\s+/u).length <= 200),
        right: 'either',
      },
    ],
  },
  {
    id: 'en-thank-you-notes',
    language: 'en',
    goal: 'Find the three customers who spend most and write each of them a personal thank-you note',
    input: 'customers.csv',
    wishes: [
      { what: 'the three', named: /three customers|spend most/iu, met: says(/\bEd\b/u, /\bCy\b/u, /\bAna\b/u), right: 'either' },
      { what: 'the notes', named: /note/iu, met: says(/(?:Dear|Hello|Hi) Ed\b/u), right: 'missing' },
    ],
  },
  {
    id: 'en-predict',
    language: 'en',
    goal: "Predict next month's revenue",
    input: 'sales.csv',
    wishes: [{ what: 'the forecast', named: /predict/iu, met: says(/(?:predict|forecast|2026-04)[^\n]*\d{4}/iu), right: 'either' }],
  },
  {
    id: 'en-complaints',
    language: 'en',
    goal: 'Which comments are negative, and what do people complain about most?',
    input: 'feedback.csv',
    wishes: [
      { what: 'the negative comments', named: /negative/iu, met: never, right: 'missing' },
      { what: 'the complaint', named: /complain/iu, met: never, right: 'missing' },
    ],
  },
  {
    id: 'en-security-review',
    language: 'en',
    goal: 'Review this code for security problems',
    input: 'app.js',
    wishes: [{ what: 'the review', named: /review|security/iu, met: says(/injection/iu), right: 'either' }],
  },
  {
    id: 'en-odd-type',
    language: 'en',
    goal: 'ANALYZE  THE   SALES!!!  and then — write tests (pls)',
    input: 'sales.csv',
    wishes: [ANALYSIS(/analy/iu), { what: 'tests', named: /test/iu, met: TESTS, right: 'done' }],
  },
  {
    id: 'en-translate-report',
    language: 'en',
    goal: 'Analyze the sales; document the API; translate the report into French',
    input: 'sales.csv',
    wishes: [
      ANALYSIS(/analy/iu),
      { what: 'the API documentation', named: /document/iu, met: file(/api|doc/iu), right: 'either' },
      { what: 'the translation', named: /translate/iu, met: says(/chiffre d['’]affaires|ventes/iu), right: 'missing' },
    ],
  },
  {
    id: 'en-log',
    language: 'en',
    goal: 'Count the 500 errors in the log and list the addresses that caused them',
    input: 'access.log',
    wishes: [
      { what: 'the count', named: /count|500/iu, met: says(/\b500\b[^\n]{0,40}\b3\b/u), right: 'either' },
      { what: 'the addresses', named: /address/iu, met: says(/10\.0\.0\.1\b/u, /10\.0\.0\.2\b/u, /10\.0\.0\.3\b/u), right: 'either' },
    ],
  },
  {
    id: 'en-login-page',
    language: 'en',
    goal: 'Build a login page with HTML and CSS',
    wishes: [{ what: 'the page', named: /login|html|css/iu, met: file(/\.html$/u, /<form[\s\S]*password/iu), right: 'either' }],
  },
  {
    id: 'en-paid-orders',
    language: 'en',
    goal: 'Analyze orders.json and tell me the total of all paid orders',
    input: 'orders.json',
    wishes: [
      { what: 'the analysis', named: /analy/iu, met: says(/\b(?:149|37\.25)\b/u), right: 'done' },
      { what: 'the total of paid orders', named: /paid/iu, met: says(/\b111\b/u), right: 'either' },
    ],
  },
  {
    id: 'en-bullets-recommend',
    language: 'en',
    goal: '- analyze the sales\n- compare North with South\n- give three recommendations',
    input: 'sales.csv',
    wishes: [
      ANALYSIS(/analy/iu),
      { what: 'the comparison', named: /compare|north/iu, met: PER_REGION, right: 'either' },
      { what: 'the recommendations', named: /recommend/iu, met: says(/recommend/iu), right: 'either' },
    ],
  },
  {
    id: 'en-reminder',
    language: 'en',
    goal: 'Remind me tomorrow at 9 to call Bo',
    wishes: [{ what: 'the reminder', named: /remind/iu, met: never, right: 'missing' }],
  },
  {
    id: 'en-neural-network',
    language: 'en',
    goal: 'Train a neural network that predicts spend from age & city, then report its accuracy',
    input: 'customers.csv',
    wishes: [
      { what: 'the network', named: /neural|train/iu, met: says(/epoch|hidden layer/iu), right: 'either' },
      { what: 'its accuracy', named: /accuracy/iu, met: says(/accuracy[^\n]*\d/iu), right: 'either' },
    ],
  },
  {
    id: 'fr-letter-summary',
    language: 'fr',
    goal: 'Résume cette lettre en français',
    input: 'letter.txt',
    wishes: [{ what: 'the summary', named: /résume/iu, met: never, right: 'missing' }],
  },
  {
    id: 'fr-analyse-tests',
    language: 'fr',
    goal: 'Analyse les ventes et écris des tests',
    input: 'sales.csv',
    wishes: [ANALYSIS(/analyse/iu), { what: 'tests', named: /test/iu, met: TESTS, right: 'done' }],
  },
  {
    id: 'fr-region-graphique',
    language: 'fr',
    goal: 'Calcule le chiffre d’affaires total par région et trace un graphique',
    input: 'sales.csv',
    wishes: [
      { what: 'revenue per region', named: /région/iu, met: PER_REGION, right: 'either' },
      { what: 'a chart', named: /graphique/iu, met: file(/\.(?:svg|png)$/u), right: 'either' },
    ],
  },
  {
    id: 'fr-livres-authentification',
    language: 'fr',
    goal: 'Crée une API REST de gestion de livres avec authentification',
    wishes: [
      { what: 'an API for books', named: /livres/iu, met: file(/\.(?:[cm]?[jt]s|py)$/u, /livre|book/iu), right: 'either' },
      {
        what: 'authentication',
        named: /authentification/iu,
        met: file(/\.(?:[cm]?[jt]s|py)$/u, /scrypt|bcrypt|argon|pbkdf2/iu),
        right: 'either',
      },
    ],
  },
  {
    id: 'fr-negation-courriel',
    language: 'fr',
    goal: 'N’envoie pas de courriel ; calcule seulement le total des unités vendues.',
    input: 'sales.csv',
    wishes: [{ what: 'units sold', named: /unités/iu, met: says(/\b63\b/u), right: 'either' }],
  },
  {
    id: 'de-bericht',
    language: 'de',
    goal: 'Analysiere die Verkäufe und schreibe einen Bericht auf Deutsch',
    input: 'sales.csv',
    wishes: [
      ANALYSIS(/analysiere/iu),
      {
        what: 'a report in German',
        named: /deutsch/iu,
        met: file(/\.(?:md|html|txt)$/u, /Zeilen|Spalte|Umsatz|Verkäufe\b[^"”]*\bsind/u),
        right: 'either',
      },
    ],
  },
  {
    id: 'de-python-ohne-tests',
    language: 'de',
    goal: 'Schreibe ein Python-Skript, das alle Dateien in einem Ordner umbenennt, ohne Tests',
    wishes: [{ what: 'the script', named: /python|skript|umbenenn/iu, met: file(/\.py$/u, /rename/u), right: 'either' }],
    unwanted: TESTS,
  },
  {
    id: 'de-uebersetze',
    language: 'de',
    goal: 'Übersetze diesen Brief ins Französische',
    input: 'letter.txt',
    wishes: [{ what: 'the translation', named: /übersetze/iu, met: says(/loyer/iu), right: 'missing' }],
  },
  {
    id: 'de-durchschnitt-svg',
    language: 'de',
    goal: 'Wie hoch ist der durchschnittliche Umsatz pro Monat? Erstelle ein Diagramm als SVG.',
    input: 'sales.csv',
    wishes: [
      { what: 'the mean of the months', named: /durchschnitt|monat/iu, met: says(/\b3,?100\b/u), right: 'either' },
      { what: 'an SVG chart', named: /diagramm|svg/iu, met: file(/\.svg$/u), right: 'done' },
    ],
  },
  {
    id: 'es-sin-correo',
    language: 'es',
    goal: 'Analiza los datos de clientes y dime cuántos no tienen correo electrónico',
    input: 'customers.csv',
    wishes: [
      { what: 'the analysis', named: /analiza/iu, met: says(/\b143\.3|\b860\b/u), right: 'done' },
      { what: 'how many have no address', named: /correo/iu, met: says(/email[^\n]*\b1\b/iu), right: 'either' },
    ],
  },
  {
    id: 'es-base-de-datos',
    language: 'es',
    goal: 'Crea una base de datos PostgreSQL con usuarios y pedidos y publícala en un servidor',
    wishes: [
      { what: 'a PostgreSQL schema', named: /base de datos|postgre/iu, met: says(/create table/iu), right: 'either' },
      { what: 'the publication', named: /public|servidor/iu, met: never, right: 'missing' },
    ],
  },
  {
    id: 'es-lista-whatsapp',
    language: 'es',
    goal: '1) Analiza las ventas\n2) Escribe la documentación\n3) Envíalo por WhatsApp a mi jefe',
    input: 'sales.csv',
    wishes: [
      ANALYSIS(/analiza/iu),
      { what: 'documentation', named: /documentación/iu, met: file(/doc|api|readme/iu), right: 'either' },
      { what: 'the message', named: /whatsapp/iu, met: never, right: 'missing' },
    ],
  },
  {
    id: 'zh-analyse-tests',
    language: 'zh',
    goal: '分析销售数据并编写测试',
    input: 'sales.csv',
    wishes: [ANALYSIS(/分析/u), { what: 'tests', named: /测试/u, met: TESTS, right: 'done' }],
  },
  {
    id: 'zh-letter-summary',
    language: 'zh',
    goal: '总结这封信',
    input: 'letter.txt',
    wishes: [{ what: 'the summary', named: /总结/u, met: never, right: 'missing' }],
  },
  {
    id: 'zh-crawler',
    language: 'zh',
    goal: '用Python写一个爬虫，抓取新闻网站的标题',
    wishes: [{ what: 'the crawler', named: /python|爬虫|抓取/iu, met: file(/\.py$/u, /urllib|requests|http/u), right: 'either' }],
  },
  {
    id: 'zh-region-no-code',
    language: 'zh',
    goal: '计算每个地区的总收入，不要写代码',
    input: 'sales.csv',
    wishes: [{ what: 'revenue per region', named: /地区|收入/u, met: PER_REGION, right: 'either' }],
    unwanted: CODE,
  },
];
