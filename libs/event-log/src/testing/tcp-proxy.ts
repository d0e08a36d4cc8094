/** A TCP proxy for tests, on which the way back from the server can be blocked and connections can be cut. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface TcpProxy {
  /** `nats://127.0.0.1:port` */
  url: string;
  /** What the server sends is kept back until `release`; what is sent to the server passes. */
  hold(): void;
  release(): void;
  /** Breaks all connections; what was kept back is gone. New ones may come. */
  cut(): void;
  close(): Promise<void>;
}

/** @param target port on 127.0.0.1 */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<{ client: Socket; upstream: Socket }>();
  let held = false;
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    const pair = { client, upstream };
    pairs.add(pair);
    client.pipe(upstream);
    upstream.pipe(client);
    if (held) upstream.unpipe(client).pause();
    for (const socket of [client, upstream]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        client.destroy();
        upstream.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => pairs.forEach(({ client, upstream }) => (client.destroy(), upstream.destroy()));
  return {
    url: `nats://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold: () => {
      held = true;
      for (const { client, upstream } of pairs) upstream.unpipe(client).pause();
    },
    release: () => {
      held = false;
      for (const { client, upstream } of pairs) upstream.pipe(client);
    },
    cut,
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
