/**
 * The configuration of a local server. Clients need no credentials, but they are not in the global account: only an account of its own can
 * be given the right to ask all servers of a cluster how they keep their data (`$SYS.REQ.SERVER.PING.JSZ`), which services do at their
 * start before they trust the broker.
 */
import { access, rename } from 'node:fs/promises';
import { join } from 'node:path';

export interface ServerSettings {
  host: string;
  /** -1: any free port. */
  port: number;
  /** Unique in a cluster, and the same after a restart: JetStream knows its peers by it. */
  name: string;
  dataDir: string;
  /** The server writes its ports file there. */
  scratch: string;
  syncAlways: boolean;
  logFile?: string;
  cluster?: ClusterSettings;
}

export interface ClusterSettings {
  name: string;
  /** For the other servers of the cluster. */
  port: number;
  /** Route ports of all servers of the cluster on this host. */
  routePorts: readonly number[];
}

/** Also the name of the folder in which JetStream keeps its data. */
const ACCOUNT = 'CADRE';

export function serverConfig(o: ServerSettings): string {
  return [
    `host: ${JSON.stringify(o.host)}`,
    `port: ${o.port}`,
    `server_name: ${JSON.stringify(o.name)}`,
    `ports_file_dir: ${JSON.stringify(o.scratch)}`,
    ...(o.logFile === undefined ? [] : [`log_file: ${JSON.stringify(o.logFile)}`]),
    'jetstream {',
    `  store_dir: ${JSON.stringify(o.dataDir)}`,
    `  sync_interval: ${o.syncAlways ? 'always' : '"2m"'}`,
    '}',
    ...accounts,
    ...(o.cluster === undefined ? [] : clusterConfig(o.host, o.cluster)),
    '',
  ].join('\n');
}

/** What clients may ask all servers: how they keep their data, and whether they can write. */
const ASKED = ['$SYS.REQ.SERVER.PING.JSZ', '$SYS.REQ.SERVER.PING.HEALTHZ'];

const accounts = [
  'accounts {',
  `  SYS { exports: [ ${ASKED.map((subject) => `{ service: "${subject}", response_type: stream }`).join(', ')} ] }`,
  `  ${ACCOUNT} {`,
  '    jetstream: enabled',
  '    users: [ { user: cadre, password: cadre } ]',
  `    imports: [ ${ASKED.map((subject) => `{ service: { account: SYS, subject: "${subject}" } }`).join(', ')} ]`,
  '  }',
  '}',
  'system_account: SYS',
  'no_auth_user: cadre',
];

function clusterConfig(host: string, { name, port, routePorts }: ClusterSettings): string[] {
  const routes = routePorts.filter((other) => other !== port).map((other) => `"nats://${host}:${other}"`);
  return ['cluster {', `  name: ${JSON.stringify(name)}`, `  listen: "${host}:${port}"`, `  routes: [ ${routes.join(', ')} ]`, '}'];
}

/** Data of versions that ran in the global account are taken over into the account of today. */
export async function adoptGlobalAccount(dataDir: string): Promise<void> {
  const [before, now] = ['$G', ACCOUNT].map((account) => join(dataDir, 'jetstream', account)) as [string, string];
  const exists = await access(now).then(
    () => true,
    () => false,
  );
  if (exists) return;
  await rename(before, now).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error; // else there are none
  });
}
