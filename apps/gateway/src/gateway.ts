import { inputProblem, type IssueLike, type ServiceContext, type ServiceOptions } from '@cadre/service-kit';
import multipart from '@fastify/multipart';
import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { serveApiDocs } from './api-docs/serve-api-docs.js';
import { GatewayConfig } from './gateway.config.js';
import { GatewayModule } from './gateway.module.js';

/** For `startService`. */
export const gatewayService: ServiceOptions<GatewayConfig> = {
  name: 'gateway',
  schema: GatewayConfig,
  module: () => GatewayModule,
  configure,
};

async function configure(app: NestFastifyApplication, context: ServiceContext<GatewayConfig>): Promise<void> {
  await app.register(multipart);
  app.useGlobalPipes(new StandardSchemaValidationPipe({ exceptionFactory: (issues) => inputProblem(issues as IssueLike[]) }));
  serveApiDocs(app, context.config);
}
