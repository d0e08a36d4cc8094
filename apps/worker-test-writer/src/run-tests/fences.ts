/** What this system offers to keep a process from the network and from other processes, beyond what Node can do itself. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** A user namespace, so that no privilege is needed; without network interfaces; seeing no other process. */
const NAMESPACES = ['--user', '--map-root-user', '--net', '--pid', '--fork', '--kill-child'];

let known: Promise<string[]> | undefined;

/** Command words to put before a program so that it runs in namespaces of its own; none where the system does not allow it. */
export function namespaceFence(): Promise<string[]> {
  known ??= promisify(execFile)('unshare', [...NAMESPACES, 'true'], { timeout: 5000 }).then(
    () => ['unshare', ...NAMESPACES],
    () => [],
  );
  return known;
}
