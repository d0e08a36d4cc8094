import { inputProblem, type IssueLike, type ServiceContext, type ServiceOptions } from '@cadre/service-kit';
import multipart from '@fastify/multipart';
import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { serveApiDocs } from './api-docs/serve-api-docs.js';
import { CONTEXT_BODY_BYTES } from './context/context-request.js';
import { GatewayConfig } from './gateway.config.js';
import { GatewayModule } from './gateway.module.js';
import { MAX_BODY_BYTES } from './runs/run-request.js';

/** Longer than a request takes from one machine to the next. */
const DRAIN_MS = 300;

/** For `startService`. */
export const gatewayService: ServiceOptions<GatewayConfig> = {
  name: 'gateway',
  schema: GatewayConfig,
  module: () => GatewayModule,
  configure,
  drainMs: DRAIN_MS,
};

async function configure(app: NestFastifyApplication, context: ServiceContext<GatewayConfig>): Promise<void> {
  // Plans and artifacts may be large; all else stays within the framework's 1 MiB.
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRoute', (route) => {
      if (route.url === '/v1/runs' && [route.method].flat().includes('POST')) route.bodyLimit = MAX_BODY_BYTES;
      if (route.url === '/v1/context/artifacts/*') route.bodyLimit = CONTEXT_BODY_BYTES;
    });
  await app.register(multipart);
  app.useGlobalPipes(new StandardSchemaValidationPipe({ exceptionFactory: (issues) => inputProblem(issues as IssueLike[]) }));
  serveApiDocs(app, context.config);
}
