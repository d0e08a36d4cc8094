/** A stand-in for the gateway, for tests of its clients. */
export { StandInGateway } from './stand-in-gateway.js';
export type { StandInOptions } from './stand-in-gateway.js';
