/** The part of every service's module tree that is the same: its context and its logs. */
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BaseConfig } from './base-config.js';
import { FrameworkLog } from './framework-log.js';
import { traceOf } from './request-trace.js';
import { SERVICE_CONTEXT, type ServiceContext } from './service-context.js';

@Module({})
class ContextModule {}

@Module({})
export class KitModule {
  static forService<C extends BaseConfig>(context: ServiceContext<C>, app: DynamicModule | Type): DynamicModule {
    const provider = { provide: SERVICE_CONTEXT, useValue: context };
    return {
      module: KitModule,
      imports: [
        { module: ContextModule, global: true, providers: [provider, FrameworkLog], exports: [provider, FrameworkLog] },
        LoggerModule.forRoot({ pinoHttp: requestLog(context) }),
        app,
      ],
    };
  }
}

/** One line a request: quiet when all is well, loud when it is our fault. */
function requestLog<C extends BaseConfig>(context: ServiceContext<C>) {
  return {
    logger: context.log,
    genReqId: (request: IncomingMessage) => traceOf(request).spanId,
    customProps: (request: IncomingMessage) => ({ traceId: traceOf(request).traceId }),
    customLogLevel: (_request: IncomingMessage, response: ServerResponse, error?: Error) => {
      if (error || response.statusCode >= 500) return 'error' as const;
      return response.statusCode >= 400 ? ('info' as const) : ('debug' as const);
    },
    serializers: {
      req: (request: { id: unknown; method: string; url: string }) => ({ id: request.id, method: request.method, url: request.url }),
      res: (response: { statusCode: number }) => ({ statusCode: response.statusCode }),
    },
  };
}
