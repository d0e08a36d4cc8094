/** 64 hex digits that tell texts apart; not safe against anybody who tries. */
export function plainDigest(text: string): string {
  let hex = '';
  for (let lane = 1; lane <= 8; lane += 1) {
    let hash = Math.imul(lane, 0x9e3779b1);
    for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193 + 2 * lane);
    hex += (hash >>> 0).toString(16).padStart(8, '0');
  }
  return hex;
}
