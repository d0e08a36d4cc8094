/** Which port each part of a local system listens on. */
import { createServer, type Server } from 'node:net';
import { CadreError } from '@cadre/contracts';
import { LOCAL_SERVICES } from './service-list.js';

export const DEFAULT_PORT = 7400;

/** Port by name of process: `gateway`, `nats-server`, and the others. */
export type Ports = Record<string, number>;

/** The gateway at `base`, NATS at `base + 22`, the others in between. */
export function fixedPorts(base: number): Ports {
  const others = LOCAL_SERVICES.map(({ name }) => name).filter((name) => name !== 'gateway');
  const ports: Ports = { gateway: base, 'nats-server': base + 22 };
  for (const [index, name] of others.entries()) ports[name] = base + 1 + index;
  return ports;
}

/**
 * Ports that are free now, all different. They lie below those that systems hand out to outgoing connections: a service that starts a few
 * seconds later would else now and then find its port taken by a connection of one that started before.
 */
export async function freePorts(): Promise<Ports> {
  for (;;) {
    const ports = fixedPorts(15_000 + Math.floor(Math.random() * 15_000));
    if ((await takenPorts(ports)).length === 0) return ports;
  }
}

/**
 * @param fix what the user can do, for the message
 * @throws CadreError `port-taken` that names every taken port and whose it would be
 */
export async function requireFree(ports: Ports, fix: string): Promise<void> {
  const taken = await takenPorts(ports);
  if (taken.length === 0) return;
  const list = taken.map(([name, port]) => `${port} (${name})`).join(', ');
  throw new CadreError(
    'port-taken',
    `${taken.length === 1 ? 'Port' : 'Ports'} ${list} on 127.0.0.1 ${taken.length === 1 ? 'is' : 'are'} in use.`,
    {
      remedy: fix,
    },
  );
}

export async function takenPorts(ports: Ports): Promise<[name: string, port: number][]> {
  const results = await Promise.all(
    Object.entries(ports).map(async ([name, port]) => ((await isFree(port)) ? [] : [[name, port] as [string, number]])),
  );
  return results.flat();
}

async function isFree(port: number): Promise<boolean> {
  try {
    await close(await listen(port));
    return true;
  } catch {
    return false;
  }
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
