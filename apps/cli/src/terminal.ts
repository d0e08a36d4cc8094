/** Where the commands write and what they know of their surroundings. Injected, so that tests see what a user would. */
import { styleText } from 'node:util';

export interface Terminal {
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Answers and data only. */
  out(text: string): void;
  /** All else: progress, hints, errors. */
  err(text: string): void;
  /** Whether people look at stdout, at stderr. */
  outIsTty: boolean;
  errIsTty: boolean;
  /** Width of stderr in columns. */
  columns: number;
  /** Calls back at each Ctrl-C (and SIGTERM, SIGHUP) until released. */
  onInterrupt(listener: (signal: NodeJS.Signals) => void): () => void;
}

export function processTerminal(): Terminal {
  return {
    env: process.env,
    cwd: process.cwd(),
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    outIsTty: process.stdout.isTTY === true,
    errIsTty: process.stderr.isTTY === true,
    columns: process.stderr.columns ?? 80,
    onInterrupt: (listener) => {
      const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
      for (const signal of signals) process.on(signal, listener);
      return () => signals.forEach((signal) => process.off(signal, listener));
    },
  };
}

type Style = Parameters<typeof styleText>[0];

/** Colours for one stream: none when nobody looks, or when NO_COLOR asks for none. */
export function painter(isTty: boolean, env: NodeJS.ProcessEnv): (style: Style, text: string) => string {
  const colours = (env['FORCE_COLOR'] ?? '') !== '' || (isTty && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb');
  return (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text);
}
