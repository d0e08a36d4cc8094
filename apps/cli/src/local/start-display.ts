/** How the start and the later life of a local system are told on stderr. */
import type { ProcessChange } from '@cadre/local-system';
import { duration } from '../output/figures.js';
import { painter, type Terminal } from '../terminal.js';

/** @returns a listener for the supervisor */
export function startDisplay(terminal: Terminal): (name: string, change: ProcessChange) => void {
  const paint = painter(terminal.errIsTty, terminal.env);
  const seen = new Set<string>();
  return (name, change) => {
    switch (change.state) {
      case 'starting':
        return;
      case 'ready':
        terminal.err(`  ${paint('green', 'ok')}  ${name.padEnd(28)} ${seen.has(name) ? 'is back' : duration(change.tookMs)}`);
        seen.add(name);
        return;
      case 'restarting':
        return terminal.err(`  ${paint('yellow', '!!')}  ${name}: ${change.reason}; it is started again in ${duration(change.inMs)}`);
      case 'given-up':
        return terminal.err(`  ${paint('red', '!!')}  ${name} is not started again: ${change.reason}`);
    }
  };
}

/** Which model the agents will talk to, and what is missing for that. */
export function describeModel(env: NodeJS.ProcessEnv): string[] {
  const url = env['OPENAI_BASE_URL'] ?? '';
  if (url === '') {
    const lines = [
      'Model: the built-in deterministic one (no language model; set OPENAI_BASE_URL, OPENAI_API_KEY and CADRE_MODEL for a real one)',
    ];
    if ((env['OPENAI_API_KEY'] ?? '') !== '') lines.push('Note: OPENAI_API_KEY is set but OPENAI_BASE_URL is not, so the key is not used.');
    return lines;
  }
  const model = env['CADRE_MODEL'] ?? '';
  if (model === '') return [`Model: at ${url}`, 'Note: CADRE_MODEL is not set; set it to a model name of that server.'];
  return [`Model: ${model} at ${url}`];
}
