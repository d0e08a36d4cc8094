/**
 * Loaded into every service that the supervisor starts (`node --import`). The supervisor holds the other end of file descriptor 3; when it
 * dies, however it dies, the kernel closes it, and the service stops as if asked to, or is ended when it does not.
 */
import { Socket } from 'node:net';

const GRACE_MS = 4000;

const line = new Socket({ fd: 3, readable: true, writable: false });
line.unref();
line.on('error', () => undefined);
line.on('close', () => {
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), GRACE_MS).unref();
});
line.resume();
