/** Replies that are read too strictly. */
import { answering, calls, call, GOOD, longId, plain, final, type Behaviour } from '../said.js';
import { resultsIn, wasRefused } from '../chat-body.js';
import type { Case } from './case.js';

const ANSWER = JSON.stringify(GOOD);
const odd = (id: string, what: string, behave: Behaviour, right: Case['right'] = {}): Case => ({ id, what, behave, right });

export const REPLIES: Case[] = [
  odd(
    'M05',
    'Only the closing tag of the thoughts is in the reply, and they hold braces',
    answering(`I need {"answer": ...} with one file; maybe {x: 1}?\n</think>\n\n${ANSWER}`),
  ),
  odd(
    'M21',
    'Line breaks stand as they are in strings',
    answering('{"answer": "There is\none file:\n\t- the one given", "confidence": 0.9}'),
    {
      answer: 'There is\none file:\n\t- the one given',
    },
  ),
  odd('K3-parts', 'The content comes in parts', answering([{ type: 'text', text: ANSWER }])),
  odd('K3-two-thoughts', 'Two blocks of thoughts', answering(`<think>{"answer": "no"}</think>\n<think>{…}</think>\n${ANSWER}`)),
  odd('K3-bracket-thoughts', "Mistral's mark of thoughts", answering(`[THINK]It may be {"answer": "two"}.[/THINK]${ANSWER}`)),
  odd('K3-kimi-thoughts', "Kimi's mark of thoughts", answering(`◁think▷It may be {"answer": "two"}.◁/think▷${ANSWER}`)),
  odd(
    'K3-channels',
    "gpt-oss's channels as they are",
    answering(`<|channel|>analysis<|message|>Is it {"answer": "two"}?<|end|><|start|>assistant<|channel|>final<|message|>${ANSWER}`),
  ),
  odd(
    'K3-second-thoughts',
    'Two objects, the second one is meant',
    answering(`{"answer": "Two.", "confidence": 0.2} No, better: ${ANSWER}`),
  ),
  odd('K3-comma', 'A comma after the last field', answering('{"answer": "There is one file.", "confidence": 0.9,}')),
  odd('K3-python', "Python's quotes", answering("{'answer': 'There is one file.', 'confidence': 0.9}")),
  odd('K3-escapes', 'Escapes that JSON does not know', answering('{"answer": "There is one file: C:\\dir\\d.csv", "confidence": 0.9}'), {
    answer: /^There is one file: C:/,
  }),
  odd('K3-words', 'The confidence in words', answering('{"answer": "There is one file.", "confidence": "high"}')),
  odd('K3-percent', 'The confidence in percent', answering('{"answer": "There is one file.", "confidence": "90%"}')),
  odd('K3-no-confidence', 'No confidence at all', answering('{"answer": "There is one file."}')),
  odd('K3-smile', 'Something with braces after the object', answering(`${ANSWER}\n\nHope this helps! {:-)}`)),
  odd('K3-prose', 'Prose, and nothing else ever', answering('There is one file.'), { requests: { atMost: 4 } }),
  odd('K3-in-reasoning', 'The answer in the field of the thoughts', answering('', { reasoning_content: `So it is one.\n${ANSWER}` })),
  odd('K3-no-model', 'The name of the model is empty', (body) => ({ ...plain(body), model: '' })),
  odd(
    'K3-raw-arguments',
    'Line breaks as they are in the arguments of a call',
    (body) => (resultsIn(body) === 0 ? calls([call(longId(), 'write_file', '{"path": "a.md", "text": "one\ntwo"}')]) : final()),
    { sent: (bodies) => !bodies.some(wasRefused) },
  ),
];
