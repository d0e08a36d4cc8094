/**
 * Ends a child when this process is gone, however it went. The watchdog is a shell in a session of its own that waits on a pipe from us;
 * the kernel closes the pipe with our last breath. It is started before the child, so that no moment is uncovered.
 */
import { spawn } from 'node:child_process';

export interface Watchdog {
  /** Names the process to end before the temporary folder is removed; `others`: processes that have watchdogs of their own. */
  guard(pid: number | 'others'): void;
  /** The child is gone, or must not be ended any more. */
  dismiss(): void;
}

const script = `
read -r pid || exit 0
read -r word && exit 0
i=0
if [ "$pid" = others ]; then sleep 4; else kill -TERM "$pid" 2>/dev/null; fi
while kill -0 "$pid" 2>/dev/null && [ $i -lt 30 ]; do sleep 0.1; i=$((i+1)); done
kill -KILL "$pid" 2>/dev/null
[ -n "$1" ] && rm -rf -- "$1"
exit 0
`;

/** @param temporary a folder that is removed after the child ended, if this process could not do it */
export function startWatchdog(temporary: string | undefined): Watchdog {
  if (process.platform === 'win32') return { guard: () => undefined, dismiss: () => undefined };
  const shell = spawn('/bin/sh', ['-c', script, 'cadre-watchdog', temporary ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  (shell.stdin as unknown as { unref?: () => void }).unref?.();
  return {
    guard: (pid) => void shell.stdin.write(`${pid}\n`),
    dismiss: () => void shell.stdin.end('dismissed\ndismissed\n'),
  };
}
