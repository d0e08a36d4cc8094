/**
 * The agents of the examples: small pieces of code in place of a model, so that every run comes to the same. A worker of your own looks like this; for agents
 * that a model plays leave `performers` out.
 */
import { startWorker } from '@cadre/worker-kit';

const json = (value, confidence = 1) => ({ answer: JSON.stringify(value), confidence });
const words = (text) => String(text).split(/\s+/).filter(Boolean);

const performers = {
  /** The words of a text. */
  counter: async ({ assignment }) => json({ words: words(assignment.input.text).length }),
  /** The sum of a list. */
  adder: async ({ assignment }) => json(assignment.input.numbers.reduce((sum, each) => sum + each, 0)),
  /** A text without signs, in lower case. */
  cleaner: async ({ assignment }) => json(words(assignment.input.text.toLowerCase().replace(/[^a-z ]/g, '')).join(' ')),
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
};

function bidder(name, price) {
  return async ({ assignment }) => {
    if (assignment.input.bid) return json({ agent: name, price });
    if (name === 'bob') throw Object.assign(new Error('bob is ill'), { retriable: true });
    return json(`done by ${name}`);
  };
}

await startWorker({
  specialty: 'examples',
  slots: 8,
  agents: Object.keys(performers).map((name) => {
    return { name, description: `The ${name} of the examples.`, skills: ['example'], instructions: 'None: this agent is code.', tools: [] };
  }),
  performers,
});
