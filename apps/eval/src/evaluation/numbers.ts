/** Numbers as people and programs write them. */

export interface Written {
  value: number;
  decimals: number;
  text: string;
}

const NUMBER = /-?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;

export function numbersIn(text: string): Written[] {
  return [...text.replaceAll('−', '-').matchAll(NUMBER)].map(([found]) => {
    const plain = found.replaceAll(',', '');
    return { value: Number(plain), decimals: /\.(\d+)/.exec(plain)?.[1]?.length ?? 0, text: found };
  });
}

/** Whether the written number is the value, rounded as far as it is written. */
export function isRounded({ value, decimals }: Written, exact: number): boolean {
  const [written, real] = [Math.abs(value), Math.abs(exact)];
  return Math.abs(written - real) <= 0.5000001 * 10 ** -decimals && (decimals > 0 || real < 10 || Math.abs(written - real) <= 0.5000001);
}
