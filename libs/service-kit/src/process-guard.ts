/** What a process owes its supervisor: a graceful end on SIGTERM and SIGINT, an end at all on anything unexpected. */
import type { Logger } from 'pino';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

export interface ProcessGuard {
  /** Takes the handlers off again. */
  release(): void;
  /** Stops gracefully, then exits with the code. */
  end(code: number): void;
}

/** @param shutdownMs after which a graceful stop is cut short @param stop the graceful stop */
export function guardProcess(log: Logger, shutdownMs: number, stop: () => Promise<void>): ProcessGuard {
  let ending = false;
  const end = (code: number): void => {
    if (ending) return;
    ending = true;
    const hardStop = setTimeout(() => {
      log.error({ shutdownMs }, 'the graceful stop took too long; ending now');
      process.exit(1);
    }, shutdownMs);
    hardStop.unref();
    stop().then(
      () => process.exit(code),
      (error: unknown) => {
        log.error({ err: error }, 'the graceful stop failed');
        process.exit(1);
      },
    );
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    log.info({ signal }, 'asked to stop');
    end(0);
  };
  const onUnexpected = (error: unknown): void => {
    log.fatal({ err: error }, 'unexpected error; ending');
    process.exit(1);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on('uncaughtException', onUnexpected);
  process.on('unhandledRejection', onUnexpected);
  const release = (): void => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    process.off('uncaughtException', onUnexpected);
    process.off('unhandledRejection', onUnexpected);
  };
  return { release, end };
}
