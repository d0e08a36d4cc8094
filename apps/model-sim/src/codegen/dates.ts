/** Which way of writing dates a column uses, judged from samples of the file's own text. */

export const DATE_ORDERS = [
  'iso',
  'month-first',
  'day-first',
  'name-first',
  'name-second',
  'weekday-name',
  'iso-month',
  'name-year',
] as const;
export type DateOrder = (typeof DATE_ORDERS)[number];

export interface DateFormat {
  order: DateOrder;
  /** Years of two digits. */
  short: boolean;
  /** Times carry a zone or an offset. */
  zone: boolean;
  /** There are times of day. */
  times: boolean;
  /** Times carry AM or PM. */
  halfDays: boolean;
  sample: string;
}

/** Each order's pattern, the names of its groups, and a test for samples. */
export const DATE_PATTERNS: Record<DateOrder, { pattern: RegExp; parts: readonly ('year' | 'month' | 'day' | 'monthName')[] }> = {
  iso: { pattern: /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})/, parts: ['year', 'month', 'day'] },
  'month-first': { pattern: /^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})/, parts: ['month', 'day', 'year'] },
  'day-first': { pattern: /^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})/, parts: ['day', 'month', 'year'] },
  'name-first': { pattern: /^([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})/, parts: ['monthName', 'day', 'year'] },
  'name-second': { pattern: /^(\d{1,2})[- ]([A-Za-z]{3,9})\.?[- ](\d{4}|\d{2})/, parts: ['day', 'monthName', 'year'] },
  'weekday-name': { pattern: /^[A-Za-z]{3} ([A-Za-z]{3}) (\d{1,2}) (\d{4})/, parts: ['monthName', 'day', 'year'] },
  'iso-month': { pattern: /^(\d{4})[-/](\d{1,2})$/, parts: ['year', 'month'] },
  'name-year': { pattern: /^([A-Za-z]{3,9}) (\d{4})$/, parts: ['monthName', 'year'] },
};

const MONTH_NAMES = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** The ISO date of a text, or undefined where the text does not follow the order. */
export function isoDate(text: string, order: DateOrder): string | undefined {
  const { pattern, parts } = DATE_PATTERNS[order];
  const match = pattern.exec(text.trim());
  if (match === null) return undefined;
  const part = (name: (typeof parts)[number]): string => match[parts.indexOf(name) + 1] ?? '';
  const month = parts.includes('monthName') ? MONTH_NAMES.indexOf(part('monthName').slice(0, 3).toLowerCase()) + 1 : Number(part('month'));
  const day = parts.includes('day') ? Number(part('day')) : 1;
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  const raw = part('year');
  const year = raw.length === 2 ? `${Number(raw) < 69 ? '20' : '19'}${raw}` : raw;
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

/**
 * The format that most samples follow, and that keeps them within the column's known range.
 * @param samples texts of the file, blanks left out
 * @param range smallest and largest value of the column as ISO 8601, where known
 */
export function dateFormat(
  samples: readonly string[],
  range: { min: string | undefined; max: string | undefined },
): DateFormat | undefined {
  const within = (date: string): boolean =>
    (range.min === undefined || date >= range.min.slice(0, 10)) && (range.max === undefined || date <= range.max.slice(0, 10));
  const fitting = (order: DateOrder): string[] =>
    samples.filter((sample) => {
      const date = isoDate(sample, order);
      return date !== undefined && within(date);
    });
  const best = DATE_ORDERS.map((order) => ({ order, texts: fitting(order) })).reduce((a, b) => (b.texts.length > a.texts.length ? b : a));
  if (best.texts.length * 2 <= samples.length) return undefined;
  const some = (pattern: RegExp): boolean => best.texts.some((text) => pattern.test(text.trim()));
  return {
    order: best.order,
    short: some(/^\d{1,2}[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{2}(\D|$)/),
    zone: some(/\d:\d{2}.*(Z|[+-]\d{2}(:?\d{2})?)$/i),
    times: some(/\d:\d{2}/),
    halfDays: some(/\d ?[AP]\.?M/i),
    sample: best.texts[0] ?? '',
  };
}
