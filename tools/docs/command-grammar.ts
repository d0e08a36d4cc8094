/** What a command line program takes, learned from its own `--help`, so that documentation is held to the program itself. */
interface CommandHelp {
  /** Names of subcommands; none for a command that does something. */
  commands: string[];
  /** Option → whether a value follows. */
  options: Map<string, boolean>;
  required: number;
  most: number;
}

export class CommandGrammar {
  readonly #help: (path: string[]) => Promise<string>;
  readonly #known = new Map<string, Promise<CommandHelp>>();

  /** @param help the help text of the (sub)command at a path; `[]` is the program itself */
  constructor(help: (path: string[]) => Promise<string>) {
    this.#help = help;
  }

  /**
   * @param given the words after the program's name. `[...]` around words and `…` for "and more" are understood.
   * @param whole whether everything that the command needs must be there (a mention in running text may be shorter)
   * @returns what is wrong, or undefined
   */
  async faultOf(given: string[], whole: boolean): Promise<string | undefined> {
    const words = given.map((word) => word.replace(/^\[/, '').replace(/\]?(\.\.\.)?$/, '')).filter((word) => word !== 'options');
    const complete = whole && !words.some((word) => word === '…' || word === '');
    const path: string[] = [];
    let help = await this.#of(path);
    let found = 0;
    for (let at = 0; at < words.length; at += 1) {
      const word = words[at]!;
      if (word === '…' || word === '') continue;
      if (word.startsWith('-') && word !== '-') {
        const name = word.split('=')[0]!;
        const takesValue = help.options.get(name);
        if (takesValue === undefined) return `${this.#name(path)} has no option ${name}`;
        if (takesValue && !word.includes('=')) at += 1;
        if (at >= words.length && complete) return `${name} of ${this.#name(path)} needs a value`;
      } else if (help.commands.length > 0) {
        if (word === 'help') return undefined;
        if (!help.commands.includes(word)) return `${this.#name(path)} has no command ${word}`;
        path.push(word);
        help = await this.#of(path);
      } else found += 1;
    }
    if (found > help.most) return `${this.#name(path)} takes ${help.most} arguments, not ${found}`;
    if (!complete || words.some((word) => word === '--help' || word === '-h' || word === '--version')) return undefined;
    if (help.commands.length > 0 && path.length > 0) return `${this.#name(path)} needs one of its commands: ${help.commands.join(', ')}`;
    if (found < help.required) return `${this.#name(path)} needs ${help.required} arguments, not ${found}`;
    return undefined;
  }

  #name(path: string[]): string {
    return ['cadre', ...path].join(' ');
  }

  #of(path: string[]): Promise<CommandHelp> {
    const key = path.join(' ');
    const known = this.#known.get(key) ?? this.#help(path).then(readHelp);
    this.#known.set(key, known);
    return known;
  }
}

/** Reads a help text of the `commander` package. */
function readHelp(text: string): CommandHelp {
  const help: CommandHelp = { commands: [], options: new Map(), required: 0, most: 0 };
  let section = '';
  for (const line of text.split('\n')) {
    const usage = /^Usage: (.*)$/.exec(line);
    if (usage !== null) {
      const taken = usage[1]!.replaceAll('[options]', '').replace('[command]', '');
      help.required = taken.match(/<[^>]+>/g)?.length ?? 0;
      help.most = /\.\.\.[>\]]/.test(taken) ? Number.POSITIVE_INFINITY : help.required + (taken.match(/\[[^\]]+\]/g)?.length ?? 0);
    }
    section = /^(\w+):/.exec(line)?.[1] ?? section;
    if (section === 'Options') readOption(line, help.options);
    const command = section === 'Commands' ? /^ {2}([a-z][\w-]*)/.exec(line) : null;
    if (command !== null) help.commands.push(command[1]!);
  }
  if (help.commands.length > 0) help.most = help.required = 0;
  return help;
}

function readOption(line: string, options: Map<string, boolean>): void {
  const found = /^ {2}((?:-\w, )?--?[\w-]+)( [<[][^>\]]+[>\]])?/.exec(line);
  if (found === null) return;
  for (const name of found[1]!.split(', ')) options.set(name, found[2]?.startsWith(' <') ?? false);
}
