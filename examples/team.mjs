/**
 * The agents of the examples: small pieces of code in place of a model, so that every run comes to the same. A worker of your own looks
 * like this; agents that a model plays have no performer, like the two of 20-memory.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { delegateWork } from '@cadre/agents';
import { CadreError } from '@cadre/contracts';
import { startWorker } from '@cadre/worker-kit';

const json = (value, confidence = 1) => ({ answer: JSON.stringify(value), confidence });
const words = (text) => String(text).split(/\s+/).filter(Boolean);

const performers = {
  /** The words of a text. */
  counter: async ({ assignment }) => json({ words: words(assignment.input.text).length }),
  /** The sum of a list. */
  adder: async ({ assignment }) => json(assignment.input.numbers.reduce((sum, each) => sum + each, 0)),
  /** A text without signs, in lower case. */
  cleaner: async ({ assignment }) => {
    if (assignment.input.text === '') throw new Error('there is nothing to clean');
    return json(words(assignment.input.text.toLowerCase().replace(/[^a-z ]/g, '')).join(' '));
  },
  firster: async ({ assignment }) => json(words(assignment.input.text)[0]),
  checker: async ({ assignment }) => json(assignment.input.words > 2 ? 'long' : 'short'),
  reporter: async ({ assignment }) => json(assignment.input.text),
  squarer: async ({ assignment }) => json(assignment.input.number ** 2),
  // Three who judge a claim, each in its own way and with its own confidence.
  optimist: async () => json('yes', 0.9),
  sceptic: async () => json('no', 0.5),
  realist: async ({ assignment }) => json(assignment.input.claim.includes('sea') ? 'yes' : 'no', 0.7),
  // Three who bid for a job and do it. The cheapest cannot.
  ann: bidder('ann', 30),
  bob: bidder('bob', 10),
  cid: bidder('cid', 20),
  /** Looks for a number that it does not know, from the best that anybody has found so far. */
  seeker: async ({ assignment }) => {
    const { start, step } = assignment.input;
    const guess = (start ?? 0) + step;
    return json({ guess, distance: Math.abs(guess - 42) });
  },
  // Who research, and who make something of it.
  researcher: async ({ assignment }) => json(`found out about ${assignment.input.topic}`, 0.9),
  strategist: async ({ assignment }) => json(`a guess from ${assignment.input.findings.length} findings`, 0.6),
  consultant: async ({ assignment: { input } }) => {
    if (input.strategy) return json(`reviewed: ${input.strategy}`);
    return json(`a strategy from ${input.findings.length} findings`, 0.85);
  },
  reviewer: ill('the reviewer'),
  /** Votes as it is told to, or does not come. */
  expert: async ({ assignment: { input } }) => {
    if (input.vote === null) throw new Error('this expert does not come');
    return json(input.vote, input.confidence);
  },
  /** Gives way to the majority once it has gone on for as many rounds as it is firm. */
  debater: async ({ assignment: { input } }) => {
    const { leaning, firmness, round, previous } = input;
    return json(previous && round > firmness ? previous.choice : leaning, 0.5);
  },
  /** Asks the counter: 300 ms for each word. */
  estimator: async ({ assignment: { input }, calls }) => {
    const { results } = await delegateWork(calls, 'ask_agent', { agent: 'counter', question: 'How many words has it?', input });
    return json({ ms: 300 * JSON.parse(results[0].answer).words });
  },
  /** Hands its task over; it comes back only if that fails. */
  clerk: async ({ assignment: { input }, calls }) => {
    const { results } = await delegateWork(calls, 'hand_off', { agent: 'squarer', instructions: 'Square it.', input });
    throw new Error(`nobody can do it: ${results[0].error}`);
  },
  // A hierarchy: the head has two leads, each of them has novices and one who can.
  head: async ({ assignment: { input }, calls }) => {
    const half = input.numbers.length / 2;
    const parts = [input.numbers.slice(0, half), input.numbers.slice(half)];
    const tasks = parts.map((numbers, n) => ({ id: `part${n}`, agent: 'lead', instructions: 'Square and add them.', input: { numbers } }));
    const { results } = await delegateWork(calls, 'delegate', { tasks });
    return json(results.reduce((sum, { answer }) => sum + JSON.parse(answer), 0));
  },
  lead: async ({ assignment: { input }, calls }) => {
    const ask = (agent, number) => ({ id: `n${number}`, agent, instructions: 'Square it.', input: { number } });
    const first = await delegateWork(calls, 'delegate', { tasks: input.numbers.map((number) => ask('novice', number)) });
    const squares = new Map(first.results.map(({ answer }, n) => [input.numbers[n], JSON.parse(answer)]));
    const wrong = input.numbers.filter((number) => squares.get(number) !== number ** 2);
    const again =
      wrong.length > 0 ? await delegateWork(calls, 'delegate', { tasks: wrong.map((number) => ask('squarer', number)) }) : { results: [] };
    again.results.forEach(({ answer }, n) => squares.set(wrong[n], JSON.parse(answer)));
    return json([...squares.values()].reduce((sum, square) => sum + square, 0));
  },
  /** Is wrong about odd numbers. */
  novice: async ({ assignment: { input } }) => json(input.number % 2 === 0 ? input.number ** 2 : input.number * 2),
  /** Keeps a note for later runs. */
  noter: async ({ assignment: { input }, context }) => {
    const kept = await context().put({ name: input.name, text: input.text });
    if (kept.error) throw new Error(kept.error);
    return json({ kept: kept.name });
  },
  /** Keeps the note of an earlier run with more in it; reads it again when somebody else was first. */
  improver: async ({ assignment: { input }, context }) => {
    for (;;) {
      const note = await context().get({ name: input.name });
      if (note.error) throw new Error(note.error);
      const text = `${note.text} ${input.more}`;
      const kept = await context().put({ name: input.name, text, expects: note.version });
      if (kept.refusal?.kind === 'conflict') continue;
      if (kept.error) throw new Error(kept.error);
      return json({ text });
    }
  },
  /** Tells what it has found; the message is sent once, however often the worker dies. */
  scout: async ({ assignment: { input }, messages }) => {
    await messages.send({ channel: 'discoveries', ...input });
    return json('announced');
  },
  /** Reads a note with a tool of an MCP server: 23-mcp-tools declares it, and says who may have it. */
  librarian: async ({ assignment: { input }, callTool }) => {
    const read = await callTool('notes_read_text_file', { path: input.note });
    if (read.error) throw new Error(read.error);
    return json(read.content.trim());
  },
  // Who hear of it, each what it asks for.
  analyst: hearer,
  auditor: hearer,
};

/** What the tasks of its run have sent; other runs may have sent before. */
async function hearer({ assignment: { input, runId }, messages }) {
  const where = `message.runId == "${runId}" && ${input.where}`;
  const heard = await messages.read({ channel: 'discoveries', types: input.types, where, waitMs: input.waitMs });
  return json(heard.messages.map(({ data }) => data.finding));
}

const batchPerformers = {
  /**
   * Looks words up, and opens its dictionary once for all that are asked for together. A word that is not in it fails its own task only.
   */
  translator: async (works) => {
    const dictionary = await openDictionary();
    return works.map(({ assignment: { input } }) => {
      const found = dictionary.get(input.word);
      return found === undefined ? new CadreError('word-unknown', `${input.word} is not in the dictionary`) : json(found);
    });
  },
};

async function openDictionary() {
  await new Promise((resolve) => setTimeout(resolve, 50));
  return new Map(
    Object.entries({ sea: 'Meer', sun: 'Sonne', sky: 'Himmel', sand: 'Sand', wind: 'Wind', wave: 'Welle', star: 'Stern', ship: 'Schiff' }),
  );
}

/**
 * From it agents are defined at run time: their instructions are a phrase, in which * is what the task names. The task says how long who
 * takes for it.
 */
async function phrases({ assignment: { input }, agent, signal }) {
  await sleep(input.takesMs?.[agent.name] ?? 0, undefined, { signal });
  return json(agent.instructions.replaceAll('*', input.text));
}

const reducers = {
  /** Makes one number of all, each by its confidence: a way to combine that the engine does not know. */
  blender: (results) => {
    const weight = results.reduce((sum, { confidence }) => sum + confidence, 0);
    const total = results.reduce((sum, { value, confidence }) => sum + value * confidence, 0);
    return { value: { estimate: Math.round(total / weight), from: results.length } };
  },
};

function ill(who) {
  return async () => {
    throw Object.assign(new Error(`${who} is ill`), { retriable: true });
  };
}

function bidder(name, price) {
  return async ({ assignment }) => {
    if (assignment.input.bid) return json({ agent: name, price });
    if (name === 'bob') return ill('bob')();
    return json(`done by ${name}`);
  };
}

/** The tools that they are granted; the others have none. */
const TOOLS = {
  ...{ estimator: ['ask_agent'], clerk: ['hand_off'], head: ['delegate'], lead: ['delegate'] },
  ...{ noter: ['context_put'], improver: ['context_get', 'context_put'] },
  ...{ scout: ['send_message'], analyst: ['read_messages'], auditor: ['read_messages'] },
};

/** Agents that a model plays. */
const played = [
  {
    ...{ name: 'diarist', description: 'Takes notes and remembers them.', skills: ['example'], tools: [] },
    instructions:
      'Your task is something to note. Your answer is a JSON object in a string: {"noted": "<the instructions of the task>", "before": ["<the summary that you remember>", "<each earlier note that you remember>"]}.',
    memory: { scope: 'run', maxTokens: 200, keepLast: 2, shareWith: ['historian'] },
  },
  {
    ...{ name: 'historian', description: 'Reads what the diarist remembers.', skills: ['example'], tools: ['recall_memory'] },
    instructions:
      'Recall the memory of the agent diarist. Your answer is a JSON object in a string: {"summary": <whether it has one>, "messages": <how many>}.',
  },
];

await startWorker({
  specialty: 'examples',
  slots: 8,
  agents: [
    ...played,
    ...Object.keys({ ...performers, ...batchPerformers }).map((name) => {
      return {
        name,
        description: `The ${name} of the examples.`,
        skills: ['example'],
        instructions: 'None: this agent is code.',
        tools: TOOLS[name] ?? [],
        // What is ready within 100 ms of the first is done with it.
        ...(name in batchPerformers && { batch: { maxTasks: 8, waitMs: 100 } }),
      };
    }),
  ],
  templates: [{ name: 'phrases', description: 'Says a phrase.', tools: [], defaults: { instructions: '*' } }],
  performers: { ...performers, phrases },
  batchPerformers,
  reducers,
});
