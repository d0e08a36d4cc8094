/** Called by `bin/cadre.js`. */
import { runProgram } from './program.js';
import { processTerminal } from './terminal.js';

/** @param argv as in `process.argv` */
export async function main(argv: string[]): Promise<void> {
  // A reader that went away (`cadre runs list | head -1`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  process.exitCode = await runProgram(argv.slice(2), processTerminal());
}
