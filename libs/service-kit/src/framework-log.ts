/** Nest's own lines: what it says of its wiring is for people who debug it. */
import { Injectable } from '@nestjs/common';
import { Logger, PinoLogger } from 'nestjs-pino';

const WIRING = new Set(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication']);

@Injectable()
export class FrameworkLog extends Logger {
  // Nest finds what to inject by the parameter types.
  constructor(log: PinoLogger) {
    super(log, {});
  }

  override log(message: unknown, ...rest: unknown[]): void {
    if (WIRING.has(String(rest.at(-1)))) this.debug(message, ...rest);
    else super.log(message, ...rest);
  }
}
