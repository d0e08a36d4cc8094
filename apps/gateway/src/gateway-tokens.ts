/** Names under which ports are injected. */
export const BLOBS = Symbol('gateway.blobs');
export const CHANNELS = Symbol('gateway.channels');
