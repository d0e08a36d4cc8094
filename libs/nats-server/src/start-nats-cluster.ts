/**
 * Starts a cluster of nats-servers on loopback, for tests, the crash matrix and benchmarks. Each node keeps its name, ports and data
 * over restarts, so that it comes back as the peer that it was.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterNode, type NodeSettings } from './cluster-node.js';
import { noLeader, notWhole } from './errors.js';
import { findNatsServer } from './find-nats-server.js';
import { askServer } from './readiness.js';
import type { StartOptions } from './start-nats-server.js';
import { startWatchdog } from './watchdog.js';

export interface ClusterOptions extends Pick<StartOptions, 'syncAlways' | 'binary' | 'log'> {
  /** Default 3. */
  nodes?: number;
  /** Default: a temporary folder that goes with the cluster. A folder given is kept; node 1 keeps its data in `n1` below it, and so on. */
  dataDir?: string;
  /** How long it may take until JetStream answers on each node. Default 30 s. */
  timeoutMs?: number;
}

export interface NatsCluster {
  /** `nats://…,nats://…`: all nodes, as `NATS_URL` and `connectNats` take it. */
  url: string;
  /** One for each node, as the client's `connect({ servers })` takes it. */
  servers: string[];
  nodes: readonly ClusterNode[];
  /** The node that leads a stream, asked again and again for `timeoutMs` (default 15 s) while there is none. Error: `nats-no-leader`. */
  leaderOf(stream: string, timeoutMs?: number): Promise<ClusterNode>;
  /** Stops all nodes; temporary data are removed. May be called again. */
  stop(): Promise<void>;
}

/** Another program may take a port between our looking and the server's start. */
const TRIES = 3;

/** Settles when JetStream answers on each node and each knows all others. Errors: those of `startNatsServer`. */
export async function startNatsCluster(options: ClusterOptions = {}): Promise<NatsCluster> {
  const binary = options.binary ?? (await findNatsServer(options.log === undefined ? {} : { log: options.log })).path;
  for (let tries = 1; ; tries += 1) {
    try {
      return await startOnce({ ...options, binary });
    } catch (error) {
      if (tries === TRIES) throw error;
    }
  }
}

async function startOnce(options: ClusterOptions & { binary: string }): Promise<NatsCluster> {
  const { nodes: count = 3, syncAlways = true, timeoutMs = 30_000, binary } = options;
  const temporary = options.dataDir === undefined ? await mkdtemp(join(tmpdir(), 'cadre-nats-cluster-')) : undefined;
  const dataDir = options.dataDir ?? temporary!;
  const watchdog = startWatchdog(temporary);
  watchdog.guard('others');
  const ports = await freePorts(2 * count);
  const routePorts = ports.slice(count);
  const nodes = Array.from({ length: count }, (_, i) => {
    const cluster = { name: 'cadre', port: routePorts[i]!, routePorts };
    const settings: NodeSettings = { name: `n${i + 1}`, port: ports[i]!, dataDir: join(dataDir, `n${i + 1}`), cluster };
    return new ClusterNode({ ...settings, syncAlways, timeoutMs, binary });
  });
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true, maxRetries: 5 });
    watchdog.dismiss();
  };
  try {
    const started = await Promise.allSettled(nodes.map((node) => node.start()));
    const failed = started.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    await whole(nodes, timeoutMs);
  } catch (error) {
    await stop();
    throw error;
  }
  const servers = nodes.map((node) => node.url);
  return { url: servers.join(','), servers, nodes, leaderOf: (stream, limitMs) => leaderOf(nodes, stream, limitMs), stop };
}

/** Most of the nodes are enough for JetStream to answer; the cluster is whole when each of them knows all. */
async function whole(nodes: readonly ClusterNode[], timeoutMs: number): Promise<void> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    const answers = await Promise.all(nodes.map(({ host, port }) => askServer(host, port, '$SYS.REQ.SERVER.PING.JSZ')));
    if (answers.every((answer) => sizeIn(answer) === nodes.length)) return;
    if (Date.now() > until) throw notWhole(nodes.length, timeoutMs);
    await sleep(50);
  }
}

function sizeIn(answer: string | undefined): number {
  if (answer === undefined) return 0;
  return (JSON.parse(answer) as { data?: { meta_cluster?: { cluster_size?: number } } }).data?.meta_cluster?.cluster_size ?? 0;
}

async function leaderOf(nodes: readonly ClusterNode[], stream: string, timeoutMs = 15_000): Promise<ClusterNode> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    for (const node of nodes.filter(({ isRunning }) => isRunning)) {
      const answer = await askServer(node.host, node.port, `$JS.API.STREAM.INFO.${stream}`);
      const leader = leaderIn(answer);
      const found = nodes.find(({ name, isRunning }) => name === leader && isRunning);
      if (found !== undefined) return found;
    }
    if (Date.now() > until) throw noLeader(stream, timeoutMs);
    await sleep(50);
  }
}

function leaderIn(answer: string | undefined): string | undefined {
  if (answer === undefined) return undefined;
  return (JSON.parse(answer) as { cluster?: { leader?: string } }).cluster?.leader;
}

/** Ports that are free now, all different. */
async function freePorts(count: number): Promise<number[]> {
  const listening = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise<Server>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', () => resolve(server)));
    }),
  );
  const ports = listening.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(listening.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
