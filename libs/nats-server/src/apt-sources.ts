/** Reads which Debian mirrors this machine uses, from both formats of apt's source lists. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface Mirror {
  uri: string;
  /** Path of the keyring that the machine's own entry names, if it names one. */
  signedBy?: string;
}

/**
 * Mirrors that may carry Debian's `main`, most likely first: those whose path ends in `debian`. No archives of security fixes: they
 * have no `testing` packages of their own.
 * @param aptFolder usually /etc/apt
 */
export async function debianMirrors(aptFolder: string): Promise<Mirror[]> {
  const parts = join(aptFolder, 'sources.list.d');
  const names = (await readdir(parts).catch(() => [] as string[])).sort();
  const files = [join(aptFolder, 'sources.list'), ...names.map((name) => join(parts, name))];
  const found: Mirror[] = [];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (file.endsWith('.list')) found.push(...parseOneLine(text));
    else if (file.endsWith('.sources')) found.push(...parseDeb822(text));
  }
  const seen = new Set<string>();
  return found
    .filter(({ uri }) => /^(https?|file|copy|mirror\+?\w*|tor\+https?):/.test(uri) && !/security/.test(uri))
    .filter(({ uri }) => !seen.has(uri) && seen.add(uri) !== undefined)
    .sort((a, b) => rank(a) - rank(b));
}

function rank({ uri }: Mirror): number {
  return /\/debian\/?$/.test(uri) ? 0 : 1;
}

/** `deb [signed-by=/path arch=amd64] http://host/debian suite main` */
export function parseOneLine(text: string): Mirror[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)$/.exec(line.replace(/#.*$/, ''));
    if (match === null) return [];
    const [, options = '', uri = '', , components = ''] = match;
    if (!components.split(/\s+/).includes('main')) return [];
    return [mirror(uri, /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1])];
  });
}

/** Stanzas of `Key: value` with continuation lines. */
export function parseDeb822(text: string): Mirror[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = stanzaFields(stanza);
    if (!words(fields.get('types')).includes('deb') || !words(fields.get('components')).includes('main')) return [];
    if (/^(no|false|off|0|without|disable)$/i.test(fields.get('enabled')?.trim() ?? '')) return [];
    return words(fields.get('uris')).map((uri) => mirror(uri, words(fields.get('signed-by'))[0]));
  });
}

function stanzaFields(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let key = '';
  for (const line of stanza.split('\n')) {
    if (line.startsWith('#')) continue;
    const match = /^([A-Za-z-]+):(.*)$/.exec(line);
    if (match !== null) {
      key = match[1]!.toLowerCase();
      fields.set(key, match[2]!);
    } else if (key !== '') fields.set(key, `${fields.get(key) ?? ''} ${line}`);
  }
  return fields;
}

const words = (text = ''): string[] => text.split(/\s+/).filter((word) => word !== '');

/** A key may also stand in the entry itself; then the machine's default keyrings have to do. */
function mirror(uri: string, signedBy: string | undefined): Mirror {
  return signedBy?.startsWith('/') === true ? { uri, signedBy } : { uri };
}
