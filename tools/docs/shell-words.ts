/** The simple commands of a shell text, as far as documentation uses the shell: quotes, comments, continued lines, pipes, redirections. */
export interface ShellCommand {
  /** Line within the text, from 0. */
  line: number;
  /** Variables set before the command's name. */
  variables: string[];
  words: string[];
}

const TOKEN = /\s+|#.*|\d*>&\d|\d*(?:>>?|<<?)\s*[^\s|;&]*|&&|\|\||[;|&]|(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\;|&<>]|<[^\s<>]*>)+|./gs;

export function shellCommands(text: string): ShellCommand[] {
  const lines = text.split('\n');
  const commands: ShellCommand[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const first = at;
    let row = lines[at]!.replace(/^\s*\$ /, '');
    while (row.endsWith('\\') && at + 1 < lines.length) row = `${row.slice(0, -1)} ${lines[(at += 1)]!}`;
    for (const words of simpleCommands(row)) commands.push({ line: first, ...withoutVariables(words) });
  }
  return commands;
}

function simpleCommands(row: string): string[][] {
  const found: string[][] = [[]];
  for (const [token] of row.matchAll(TOKEN)) {
    if (/^(&&|\|\||[;|&])$/.test(token)) found.push([]);
    else if (/^\s|^#|^\d*(>|<(?![^\s<>]*>$))/.test(token)) continue;
    else
      found
        .at(-1)!
        .push(token.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, (_all, double?: string, single?: string) => double ?? single ?? ''));
  }
  return found.filter((words) => words.length > 0);
}

function withoutVariables(words: string[]): { variables: string[]; words: string[] } {
  const start = words[0] === 'export' ? 1 : 0;
  const set = /^([A-Za-z_][A-Za-z0-9_]*)=/;
  let rest = start;
  while (rest < words.length && set.test(words[rest]!)) rest += 1;
  return { variables: words.slice(start, rest).map((word) => set.exec(word)![1]!), words: words.slice(rest) };
}
