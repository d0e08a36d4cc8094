/** Trouble that passes is waited out; what does not pass ends at once. */
import { plain, refuse, type Behaviour, type Said } from '../said.js';
import type { Case } from './case.js';

const SECONDS = 12;

/** Refuses for some seconds. @param refusal told how many are left */
const until =
  (refusal: (seconds: number) => Said): Behaviour =>
  (body, { sinceMs }) => {
    const left = SECONDS - sinceMs / 1000;
    return left <= 0 ? plain(body) : refusal(left);
  };

/** Asked once, and never again. */
const FINAL = { status: 'failed', requests: 1, refused: 1, costMicros: 0 } as const;
const PATIENT = { requests: { atMost: 9 }, refused: { atMost: 7 } };

export const WAITING: Case[] = [
  {
    id: 'M06',
    what: 'A limit is told in a body of status 200, twice',
    behave: (body, { n }) => {
      const error = { message: 'Provider returned error', code: 429, metadata: { raw: 'upstream is rate-limited, try again shortly' } };
      return n <= 2 ? { status: 200, body: { error } } : plain(body);
    },
    right: { requests: 4, refused: 2, shown: /upstream is rate-limited|Provider returned error/ },
  },
  {
    id: 'M06b',
    what: 'Lack of credit is told in a body of status 200',
    behave: () => ({ status: 200, body: { error: { message: 'Insufficient credits', code: 402 } } }),
    right: { ...FINAL, code: 'model-quota-exhausted', shown: /Insufficient credits/ },
  },
  {
    id: 'M08',
    what: 'A quota of a minute: how long is told in the body alone, and the body is a list',
    behave: until((left) => {
      const delay = `${left.toFixed(3)}s`;
      const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: delay }];
      const message = `Quota exceeded for this minute. Please retry in ${delay}.`;
      return { status: 429, body: [{ error: { code: 429, message, status: 'RESOURCE_EXHAUSTED', details } }] };
    }),
    right: { ...PATIENT, shown: /Quota exceeded for this minute/ },
  },
  {
    id: 'M09',
    what: 'The server loads its model',
    behave: until(() => refuse(503, 'Loading model', { type: 'unavailable_error', code: 503 })),
    right: { ...PATIENT, shown: /Loading model/ },
  },
  {
    id: 'K5-try-again-in',
    what: 'A limit in the words of OpenAI',
    behave: until((left) => refuse(429, `Rate limit reached for requests per min. Please try again in ${left.toFixed(1)}s.`)),
    right: PATIENT,
  },
  {
    id: 'K5-reset-header',
    what: 'A limit whose end stands in x-ratelimit-reset-requests',
    behave: until((left) =>
      refuse(
        429,
        'Rate limit reached.',
        {},
        { 'x-ratelimit-reset-requests': `${left.toFixed(1)}s`, 'x-ratelimit-remaining-requests': '0' },
      ),
    ),
    right: PATIENT,
  },
  {
    id: 'K5-html',
    what: 'A proxy before the server says 502, in HTML',
    behave: until(() => ({ status: 502, body: '<html><body><h1>502 Bad Gateway</h1></body></html>' })),
    // Whether the server behind the proxy has worked, nobody knows.
    right: { ...PATIENT, costMicros: 'any' },
  },
  {
    id: 'K5-error-is-text',
    what: 'A cold start in the words of Hugging Face: the error is a text',
    behave: until((left) => ({ status: 503, body: { error: 'Model example is currently loading', estimated_time: left } })),
    right: { ...PATIENT, shown: /currently loading/ },
  },
  {
    id: 'K5-quota-of-a-day',
    what: 'The quota of a day is used up',
    behave: () => refuse(429, 'Quota exceeded: requests per day. Please retry in 40000s.', { code: 'rate_limit_exceeded' }),
    right: { ...FINAL, code: 'model-quota-exhausted', shown: /per day/ },
  },
  {
    id: 'K5-unknown-model',
    what: 'A model that does not exist is told in a body of status 200',
    behave: () => ({ status: 200, body: { error: { message: 'No endpoints found: the model does not exist', code: 404 } } }),
    right: { ...FINAL, code: 'model-not-found', shown: /No endpoints found/ },
  },
];
