/** Parts of a count or of money that add up to the whole. */

/**
 * Parts a whole number by weights into whole numbers whose sum is exactly the whole. Where all weights are 0, alike.
 * @param most what each part is at most, as long as the others have room
 */
export function splitExactly(total: number, weights: readonly number[], most: readonly number[] = weights.map(() => Infinity)): number[] {
  const parts = weights.map(() => 0);
  const room = (place: number): number => most[place]! - parts[place]!;
  let left = total;
  for (let open = weights.map((_, place) => place).filter((place) => room(place) > 0); left > 0 && open.length > 0;) {
    for (const [n, share] of byWeight(
      left,
      open.map((place) => weights[place]!),
    ).entries()) {
      const taken = Math.min(share, room(open[n]!));
      parts[open[n]!]! += taken;
      left -= taken;
    }
    open = open.filter((place) => room(place) > 0);
  }
  // More than all of them have room for.
  for (const [place, share] of byWeight(left, weights).entries()) parts[place]! += share;
  return parts;
}

/** Each part ends where the sum of the weights up to it ends, so that nothing is lost by rounding. */
function byWeight(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((all, weight) => all + weight, 0);
  let [before, seen] = [0, 0];
  return weights.map((weight, place) => {
    seen += sum > 0 ? weight : 1;
    const isLast = place === weights.length - 1;
    const end = isLast ? total : Math.min(total, Math.round((total * seen) / (sum > 0 ? sum : weights.length)));
    const part = end - before;
    before = end;
    return part;
  });
}
