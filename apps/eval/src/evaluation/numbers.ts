/** Numbers as people and programs write them. */

export interface Written {
  value: number;
  decimals: number;
  text: string;
  /** A percent sign follows it. */
  isPercent: boolean;
}

const NUMBER = /-?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;
const VALUE = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;

/** In what people read, where a comma may stand between thousands. */
export const numbersIn = (text: string): Written[] => written(text.replaceAll('−', '-'), NUMBER);

/** In JSON and CSV, where a comma parts one value from the next. */
export const valuesIn = (text: string): Written[] => written(text, VALUE);

function written(text: string, pattern: RegExp): Written[] {
  return [...text.matchAll(pattern)].map(({ 0: found, index }) => {
    const plain = found.replaceAll(',', '');
    const decimals = /\.(\d+)/.exec(plain)?.[1]?.length ?? 0;
    return {
      value: Number(plain),
      decimals,
      text: found,
      isPercent: /^\s?%/.test(text.slice(index + found.length, index + found.length + 2)),
    };
  });
}

/** Whether the written number is the value, rounded as far as it is written. */
export function isRounded({ value, decimals }: Written, exact: number): boolean {
  const [written, real] = [Math.abs(value), Math.abs(exact)];
  return Math.abs(written - real) <= 0.5000001 * 10 ** -decimals && (decimals > 0 || real < 10 || Math.abs(written - real) <= 0.5000001);
}
