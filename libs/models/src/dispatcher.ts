/**
 * The connections to a model server. They take what time they need: Node's own client gives up after 300 s without headers
 * (openai/openai-node#2153). Proxies of the environment are respected (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`, upper or lower case); what
 * is on this machine is never asked through one.
 */
import { Agent, EnvHttpProxyAgent } from 'undici';
import type { Dispatcher } from 'undici';

const TIMES = { headersTimeout: 0, bodyTimeout: 0, connectTimeout: 30_000 } as const;

export function dispatcherFor(baseUrl: string): Dispatcher {
  // Plain requests go to the proxy as such: many proxies of companies tunnel to port 443 alone.
  return isLoopback(baseUrl) ? new Agent(TIMES) : new EnvHttpProxyAgent({ ...TIMES, proxyTunnel: false });
}

/** Whether the URL leads to this machine. */
export function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const host = new URL(url).hostname.toLowerCase().replace(/^\[|\]$/g, '');
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    /^127\./.test(host) ||
    host === '::1' ||
    host === '0.0.0.0' ||
    /^::ffff:(127\.|7f)/.test(host)
  );
}

/**
 * The proxy of the environment through which the URL is asked, without its user and password; undefined: it is asked directly. For people.
 */
export function proxyFor(url: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  if (!URL.canParse(url) || isLoopback(url)) return undefined;
  const { protocol, hostname, port } = new URL(url);
  const http = env['http_proxy'] ?? env['HTTP_PROXY'];
  const https = env['https_proxy'] ?? env['HTTPS_PROXY'];
  const proxy = protocol === 'https:' ? https || http : http;
  const exempt = (env['no_proxy'] ?? env['NO_PROXY'] ?? '').split(/[,\s]/).filter(Boolean);
  const spared = exempt.some(
    (entry) => entry === '*' || covers(entry, hostname.toLowerCase(), port || (protocol === 'https:' ? '443' : '80')),
  );
  return proxy && !spared ? withoutSecrets(proxy) : undefined;
}

function withoutSecrets(proxy: string): string {
  return proxy.replace(/^([a-z]+:\/\/)?[^/]*@/i, '$1');
}

function covers(entry: string, host: string, port: string): boolean {
  const [, name = entry, only] = /^(.+?)(?::(\d+))?$/.exec(entry) ?? [];
  const bare = name.replace(/^\*?\./, '').toLowerCase();
  return (only === undefined || only === port) && (host === bare || host.endsWith(`.${bare}`));
}
