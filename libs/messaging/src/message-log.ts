/** The part of a logger that this library uses; a pino logger fits. */
export interface MessageLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
