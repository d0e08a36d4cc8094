/** The public names of the messaging library. */
export { connectNats, isAtLeast, MIN_NATS_VERSION } from './connect-nats.js';
export type { ConnectOptions } from './connect-nats.js';
export type { MessageLog } from './message-log.js';
export { TraceContext } from './trace-context.js';
export { serveRequests, ERROR_HEADERS } from './serve-requests.js';
export type { RequestContext, RequestHandler, ServeOptions, EndpointStats, RequestEndpoint } from './serve-requests.js';
export { requestJson, isNoResponders } from './request-json.js';
export type { RequestJsonOptions } from './request-json.js';
export { NatsCommandSender } from './nats-command-sender.js';
export type { CommandSenderOptions } from './nats-command-sender.js';
export { registerMicroService } from './micro-registration.js';
export type { MicroService, MicroServiceOptions } from './micro-registration.js';
export { systemChance, systemClock } from './system-clock.js';
