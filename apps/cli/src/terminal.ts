/** Where the commands write and what they know of their surroundings. Injected, so that tests see what a user would. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { styleText } from 'node:util';
import { CadreError } from '@cadre/contracts';

/** With the person at the terminal. */
export interface Dialog {
  /** @returns one line; `n` when there is none to come, as after Ctrl-C */
  ask(question: string): Promise<string>;
  /** Opens a file in the person's editor (VISUAL, else EDITOR, else vi) until it is closed. Error: `editor-failed` */
  edit(path: string): Promise<void>;
}

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
  /** Left out: nobody is there to answer. */
  dialog?: Dialog;
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
    ...(process.stdin.isTTY === true && process.stderr.isTTY === true ? { dialog: processDialog } : {}),
    onInterrupt: (listener) => {
      const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
      for (const signal of signals) process.on(signal, listener);
      return () => signals.forEach((signal) => process.off(signal, listener));
    },
  };
}

const processDialog: Dialog = {
  ask: async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('n')));
    try {
      return await Promise.race([lines.question(question), closed]);
    } catch {
      return 'n';
    } finally {
      lines.close();
    }
  },
  edit: async (path) => {
    const editor = process.env['VISUAL'] || process.env['EDITOR'] || 'vi';
    // The editor may be a command with options, so a shell reads it; the path is no part of that text.
    const child = spawn('sh', ['-c', `${editor} "$1"`, 'sh', path], { stdio: 'inherit' });
    const [code] = (await once(child, 'close')) as [number | null];
    if (code === 0) return;
    throw new CadreError('editor-failed', `The editor ${editor} has ended with ${code ?? 'a signal'}.`, {
      remedy: 'Set EDITOR to one that works.',
    });
  },
};

type Style = Parameters<typeof styleText>[0];

/** Colours for one stream: none when nobody looks, or when NO_COLOR asks for none. */
export function painter(isTty: boolean, env: NodeJS.ProcessEnv): (style: Style, text: string) => string {
  const colours = (env['FORCE_COLOR'] ?? '') !== '' || (isTty && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb');
  return (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text);
}
