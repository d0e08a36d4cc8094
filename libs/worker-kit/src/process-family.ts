/**
 * A child process and all that came of it: the members of its session and, from those that left it, every descendant that was ever
 * seen. Reads /proc; where that is missing only the process group is known.
 */
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

const PAGE_BYTES = 4096;

interface ProcessEntry {
  pid: number;
  parent: number;
  session: number;
  /** With the pid, this names one process even when the pid is used again. */
  started: string;
  residentBytes: number;
}

export class ProcessFamily {
  private readonly seen = new Map<number, string>();

  /** @param leader pid of a child started with `detached`, so that it leads its own session and group */
  constructor(private readonly leader: number) {}

  /** Resident memory of all living members, in bytes; 0 where there is no /proc. */
  residentBytes(): number {
    return this.members().reduce((sum, entry) => sum + entry.residentBytes, 0);
  }

  /** Kills all members at once, as far as they live. */
  kill(): void {
    const strays = this.members();
    quietKill(-this.leader);
    for (const entry of strays) quietKill(entry.pid);
  }

  private members(): ProcessEntry[] {
    const all = readProcesses();
    const members = new Map<number, ProcessEntry>();
    for (const entry of all) {
      if (entry.session === this.leader || entry.pid === this.leader || this.seen.get(entry.pid) === entry.started) {
        members.set(entry.pid, entry);
      }
    }
    for (let grown = members.size > 0; grown;) {
      grown = false;
      for (const entry of all) {
        if (members.has(entry.pid) || !members.has(entry.parent)) continue;
        members.set(entry.pid, entry);
        grown = true;
      }
    }
    for (const entry of members.values()) this.seen.set(entry.pid, entry.started);
    return [...members.values()];
  }
}

function quietKill(target: number): void {
  try {
    process.kill(target, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

function readProcesses(): ProcessEntry[] {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return [];
  }
  return names.filter((name) => /^\d+$/.test(name)).flatMap((name) => readProcess(Number(name)) ?? []);
}

/** One line of /proc/<pid>/stat; its second field is a name in parentheses that may hold anything. */
function readProcess(pid: number): ProcessEntry | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return {
      pid,
      parent: Number(fields[1]),
      session: Number(fields[3]),
      started: fields[19] ?? '',
      residentBytes: Number(fields[21]) * PAGE_BYTES,
    };
  } catch {
    return undefined;
  }
}

export interface Watchdog {
  dismiss(): void;
}

/**
 * Kills a process group when this process is gone, even by SIGKILL: a shell waits on a pipe from us, which the kernel closes with our
 * last breath. Without it a runaway program would outlive its worker.
 */
export function startWatchdog(group: number): Watchdog {
  if (process.platform === 'win32') return { dismiss: () => undefined };
  const script = 'read -r word && exit 0; kill -s KILL -- "-$1" 2>/dev/null';
  const shell = spawn('/bin/sh', ['-c', script, 'cadre-watchdog', String(group)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: {},
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  (shell.stdin as unknown as { unref?: () => void }).unref?.();
  return { dismiss: () => void shell.stdin.end('dismissed\n') };
}
