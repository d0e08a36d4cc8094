/** Names under which ports are injected. */
export const BLOBS = Symbol('gateway.blobs');
