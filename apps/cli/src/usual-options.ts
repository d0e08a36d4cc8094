/** Options that most commands have. */
import { Option } from 'commander';
import { DEFAULT_URL } from './commands/options.js';

/** Told the exit code of a command. */
export type Finish = (code: number) => void;

export const urlOption = (): Option => new Option('--url <address>', `the gateway (default: CADRE_URL, else ${DEFAULT_URL})`);
export const outputOption = (): Option => new Option('-o, --output <format>', 'json or text').default('text');
