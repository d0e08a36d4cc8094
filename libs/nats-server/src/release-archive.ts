/** The official release archive of one pinned version, checked against the SHA-256 that the project's own container images check. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';

export interface Release {
  version: string;
  /** Folder of the archives, without a slash at its end. */
  baseUrl: string;
  /** SHA-256 by platform, as the archive is named: `linux-amd64`. */
  sha256: Record<string, string>;
}

export const PINNED_RELEASE: Release = {
  version: '2.15.0',
  baseUrl: 'https://github.com/nats-io/nats-server/releases/download/v2.15.0',
  sha256: {
    'linux-amd64': '5d2c51caca950333aba84911df7d377f826f3a59ec36061c6539105084f65c92',
    'linux-arm64': 'cdc208f5a3f42963a52b6ab06ef65626bb870315dc936e26ba571780c6351112',
    'linux-arm7': 'ec5f4689d017e07cfa18442e10da051c0f3f9dd2e7f4dc7cdb55a11f1303c952',
    'linux-386': 'f572eccdbb35ab5c7fef7703a5b6ca49e55d039e441920ba5478972ecdcf7a47',
    'linux-s390x': 'ac50bf4adc8fa6db575ed9293417b6fbec746e71cc9d360aea5cd447e4207bfc',
    'linux-ppc64le': 'a402bf73f91f674735cc85aa0e7d06d5dfa3044b98cda6ea9937cfee4e05a266',
    'linux-loong64': 'fdce4b595b4b3a9f83d07ee310334b68a0723c799e969c9ab77f3105158fd64e',
  },
};

const goArch: Record<string, string> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm7',
  ia32: '386',
  s390x: 's390x',
  ppc64: 'ppc64le',
  loong64: 'loong64',
};
const CONNECT_MS = 5000;
const DOWNLOAD_MS = 120_000;

/**
 * Downloads, checks and unpacks the server to `target`.
 * @throws Error with a short reason: no archive known for this platform, host not reached, wrong checksum
 */
export async function fetchRelease(release: Release, target: string): Promise<void> {
  const platform = `${process.platform}-${goArch[process.arch] ?? process.arch}`;
  const expected = release.sha256[platform];
  if (expected === undefined) throw new Error(`no checksum is pinned for ${platform}`);
  const archive = await download(`${release.baseUrl}/nats-server-v${release.version}-${platform}.tar.gz`);
  const actual = createHash('sha256').update(archive).digest('hex');
  if (actual !== expected) throw new Error(`the archive's SHA-256 is ${actual}, not ${expected}; it was thrown away`);
  const binary = findInTar(gunzipSync(archive), 'nats-server');
  if (binary === undefined) throw new Error('the archive holds no nats-server');
  await writeFile(target, binary, { mode: 0o755 });
}

async function download(url: string): Promise<Buffer> {
  const abort = new AbortController();
  // Unreachable hosts are common (offline machines, closed networks): give up early until the first byte, then be patient.
  let timer = setTimeout(() => abort.abort(), CONNECT_MS);
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(), DOWNLOAD_MS);
    return Buffer.from(await response.arrayBuffer());
  } catch (error) {
    if (abort.signal.aborted) throw new Error(`${new URL(url).host} did not answer in time`, { cause: error });
    if ((error as Error).message === 'fetch failed') throw new Error(`${new URL(url).host} cannot be reached`, { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The first regular file of that name (without folder) in a tar archive. */
export function findInTar(tar: Buffer, name: string): Buffer | undefined {
  for (let offset = 0; offset + 512 <= tar.length;) {
    const header = tar.subarray(offset, offset + 512);
    const path = header.toString('latin1', 0, 100).replace(/\0.*$/s, '');
    if (path === '') return undefined;
    const size = parseInt(header.toString('latin1', 124, 136), 8);
    if (!Number.isFinite(size)) return undefined;
    const type = header[156];
    const isFile = type === 0 || type === 0x30;
    const start = offset + 512;
    if (isFile && path.split('/').at(-1) === name) return tar.subarray(start, start + size);
    offset = start + Math.ceil(size / 512) * 512;
  }
  return undefined;
}
