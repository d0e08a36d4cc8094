/** Versions of nats-server, as `--version` tells them. */
import { run } from './run.js';

/** @returns negative, zero or positive, as for sort; a release candidate counts as older than its release */
export function compareVersions(a: string, b: string): number {
  const [aCore = '', aPre] = split(a);
  const [bCore = '', bPre] = split(b);
  const aParts = aCore.split('.').map(Number);
  const bParts = bCore.split('.').map(Number);
  for (let i = 0; i < 3; i += 1) {
    const difference = (aParts[i] ?? 0) - (bParts[i] ?? 0);
    if (difference !== 0) return difference;
  }
  if (aPre === bPre) return 0;
  if (aPre === undefined) return 1;
  if (bPre === undefined) return -1;
  return aPre < bPre ? -1 : 1;
}

function split(version: string): [string, string | undefined] {
  const [core = '', ...rest] = version.split('-');
  return [core, rest.length > 0 ? rest.join('-') : undefined];
}

/** The version in the output of `nats-server --version` (`nats-server: v2.15.1`), without the `v`. */
export function parseVersion(output: string): string | undefined {
  return /nats-server[:,]?\s+(?:version\s+)?v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)/.exec(output)?.[1];
}

/**
 * Asks a binary for its version. Takes up to 10 s when the machine is loaded.
 * @returns the version, or why there is none
 */
export async function askVersion(path: string): Promise<{ version: string } | { reason: string }> {
  const result = await run(path, ['--version'], { timeoutMs: 10_000 });
  if (result.error !== undefined) return { reason: result.error };
  const version = parseVersion(`${result.stdout}\n${result.stderr}`);
  return version === undefined ? { reason: 'it does not answer --version like nats-server does' } : { version };
}
