/**
 * The last requests of a service that stops. Node's own close cuts every connection on which nothing is being asked at the moment, also one
 * that was just taken and whose request is still on its way: its sender is told of a reset and knows nothing. So first no connection is
 * taken any more, and for a moment all that comes on those that are there is answered, and told that it was the last. What still waits
 * shortly before the stop is cut short is refused, so that nobody is left without an answer.
 */
import type { IncomingMessage } from 'node:http';
import { Server, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { CadreError } from '@cadre/contracts';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Health } from './health.js';
import { sendProblem } from './problem.filter.js';

/**
 * Connections on which nothing was asked yet, by their server. Node counts one as busy, so its close would wait for it: browsers open some
 * ahead.
 */
const unused = new WeakMap<Server, Set<Socket>>();
/** Requests without an answer, by their server. */
const waiting = new WeakMap<Server, Map<FastifyRequest, FastifyReply>>();

/** Before the routes are bound. */
export function announceLast(app: NestFastifyApplication, health: Health): void {
  const http = app.getHttpAdapter().getInstance();
  const sockets = new Set<Socket>();
  unused.set(http.server, sockets);
  http.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  http.server.on('request', ({ socket }: IncomingMessage) => sockets.delete(socket));
  const open = new Map<FastifyRequest, FastifyReply>();
  waiting.set(http.server, open);
  http.addHook('onRequest', async (request, reply) => {
    open.set(request, reply);
    reply.raw.once('close', () => open.delete(request));
  });
  http.addHook('onSend', async (_request, reply) => {
    if (health.isStopping) void reply.header('connection', 'close');
  });
  // An answer whose head went out before the stop did not say so; its connection would be kept for the next request, and the stop would
  // wait for that.
  http.addHook('onResponse', async (request) => {
    if (health.isStopping) request.raw.socket.destroySoon();
  });
}

/** @param forMs how long a request may be on its way; 0: none is waited for */
export async function answerLast(app: NestFastifyApplication, forMs: number): Promise<void> {
  const server = app.getHttpServer() as Server;
  if (forMs > 0 && server.listening) {
    // Connections that the kernel holds for us are reset by the close: take them first.
    await nextTurn();
    // The close of a plain server: that of an HTTP server cuts idle connections.
    Server.prototype.close.call(server);
    await sleep(forMs);
  }
  for (const socket of unused.get(server) ?? []) socket.destroy();
}

/** Answers those that nothing was sent of with 503. */
export function refuseWaiting(app: NestFastifyApplication, log: Logger): void {
  for (const [request, reply] of waiting.get(app.getHttpServer() as Server) ?? []) {
    if (reply.sent || reply.raw.headersSent) continue;
    const error = new CadreError('unavailable', 'The service stops, and what this request waits for has not come.', {
      retriable: true,
      remedy: 'send it again',
    });
    sendProblem(request, reply, error, log);
  }
}
