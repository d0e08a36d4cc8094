/** Answers that take long, and answers that stop coming. */
import { final, plain } from '../said.js';
import type { Case } from './case.js';

/** Of the model that these cases are asked with; `CADRE_MODEL_TIMEOUT_MS`. */
export const MODEL_LIMIT_MS = 6000;

export const TIME: Case[] = [
  {
    id: 'M17-limit',
    what: 'No sign of an answer within the limit: the error names the limit and its setting',
    behave: () => ({ ...final(), afterMs: 60_000 }),
    right: { status: 'failed', requests: { atMost: 3 }, refused: { atMost: 3 }, costMicros: 'any', shown: /CADRE_MODEL_TIMEOUT_MS/ },
  },
  {
    id: 'K8-trickles',
    what: 'An answer that takes longer than the limit, but never stops coming',
    behave: (body) => ({ ...plain(body), pieceMs: 1500 }),
    right: {},
  },
  {
    id: 'K8-stalls',
    what: 'An answer that stops coming in the middle',
    behave: (body) => ({ ...plain(body), stalls: true }),
    right: { status: 'failed', requests: { atMost: 6 }, costMicros: 'any', shown: /CADRE_MODEL_IDLE_MS/ },
  },
];
