/** A terminal that keeps what was written, for tests. */
import type { Dialog, Terminal } from '../terminal.js';

export interface RecordedTerminal extends Terminal {
  readonly stdout: string[];
  readonly stderr: string[];
  /** As if Ctrl-C was pressed. */
  interrupt(): void;
}

export function recordedTerminal(over: { env?: NodeJS.ProcessEnv; cwd?: string; dialog?: Dialog } = {}): RecordedTerminal {
  const listeners = new Set<(signal: NodeJS.Signals) => void>();
  const stdout: string[] = [];
  const stderr: string[] = [];
  return {
    ...{ stdout, stderr, env: over.env ?? {}, cwd: over.cwd ?? process.cwd(), outIsTty: false, errIsTty: false, columns: 100 },
    ...(over.dialog && { dialog: over.dialog }),
    out: (text) => void stdout.push(...text.split('\n')),
    err: (text) => void stderr.push(...text.split('\n')),
    interrupt: () => listeners.forEach((listener) => listener('SIGINT')),
    onInterrupt: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
