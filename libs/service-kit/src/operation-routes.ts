/** `/livez`, `/readyz`, `/metrics`, and figures on every HTTP request. */
import type { FastifyInstance } from 'fastify';
import type { Health } from './health.js';
import type { Metrics } from './metrics.js';

export function addOperationRoutes(http: FastifyInstance, health: Health, metrics: Metrics): void {
  http.get('/livez', async (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'live' }));
  http.get('/readyz', async (_request, reply) => {
    const { ready, phase, checks } = await health.readiness();
    return reply
      .status(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ status: ready ? 'ready' : 'not-ready', phase, checks });
  });
  http.get('/metrics', async (_request, reply) => reply.header('content-type', metrics.contentType).send(await metrics.text()));
  const labels = ['method', 'route', 'status'];
  const durations = metrics.histogram('cadre_http_request_duration_seconds', 'Time to answer an HTTP request', labels);
  http.addHook('onResponse', (request, reply, done) => {
    // Routes, not paths: paths hold ids, and each would become a series of its own.
    const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
    durations.observe(reply.elapsedTime / 1000, { method: request.method, route, status: reply.statusCode });
    done();
  });
}
