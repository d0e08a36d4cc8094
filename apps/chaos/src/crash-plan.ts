/** How each crash point is reached: what must be going on, and how often the point is passed in a round. */
import { CRASH_POINTS, type CrashPoint, type CrashService } from '@cadre/contracts';

/**
 * `upload`: a run with a file. `event`: a run started by an event from outside. `lost`: a worker dies with a task. `frozen`: the process
 * sleeps past its lease.
 */
export type Occasion = 'runs' | 'upload' | 'event' | 'lost' | 'frozen';

export interface CrashPlan {
  service: CrashService;
  point: CrashPoint;
  occasion: Occasion;
  /** The process dies at one of the first so many passings, as the seed says. */
  passings: number;
}

const SPECIAL: Partial<Record<CrashPoint, Partial<Pick<CrashPlan, 'occasion' | 'passings'>>>> = {
  'gateway-before-blob': { occasion: 'upload' },
  'gateway-blob-stored': { occasion: 'upload' },
  'gateway-before-start-run': { passings: 2 },
  'gateway-run-answered': { passings: 2 },
  'gateway-before-ingress-ack': { occasion: 'event' },
  'gateway-after-ingress-ack': { occasion: 'event' },
  'orchestrator-decided': { passings: 8 },
  'orchestrator-append-sent': { passings: 8 },
  'orchestrator-block-stored': { passings: 8 },
  'orchestrator-lease-lost': { occasion: 'frozen' },
  'scheduler-block-folded': { passings: 8 },
  'scheduler-before-offers': { passings: 3 },
  'scheduler-offers-sent': { passings: 3 },
  'scheduler-before-lose': { occasion: 'lost' },
  'scheduler-lose-answered': { occasion: 'lost' },
  'monitor-before-feed': { passings: 5 },
  'monitor-feed-published': { passings: 5 },
  'monitor-history-written': { passings: 5 },
  'worker-offer-taken': { passings: 3 },
  'worker-attempt-started': { passings: 3 },
  'worker-before-call': { passings: 8 },
  'worker-after-call': { passings: 8 },
  'worker-body-stored': { passings: 3 },
  'worker-call-settled': { passings: 8 },
  'worker-before-complete': { passings: 3 },
  'worker-after-complete': { passings: 3 },
};

export function crashPlans(): CrashPlan[] {
  return (Object.keys(CRASH_POINTS) as CrashService[]).flatMap((service) =>
    CRASH_POINTS[service].map((point): CrashPlan => ({ service, point, occasion: 'runs', passings: 1, ...SPECIAL[point] })),
  );
}
