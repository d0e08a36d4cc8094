/**
 * Named places in the services where a process can be made to die, for the crash matrix (`CADRE_CRASH_AT=<point>[:n]`) and the simulator.
 * A name is listed here once; a name that is not listed cannot be used, and one that nobody uses fails a test.
 */
export const CRASH_POINTS = {
  gateway: [
    'gateway-before-blob',
    'gateway-blob-stored',
    'gateway-before-start-run',
    'gateway-run-answered',
    'gateway-before-ingress-ack',
    'gateway-after-ingress-ack',
  ],
  orchestrator: [
    'orchestrator-claimed',
    'orchestrator-decided',
    'orchestrator-append-sent',
    'orchestrator-block-stored',
    'orchestrator-before-snapshot',
    'orchestrator-snapshot-saved',
    'orchestrator-log-trimmed',
    'orchestrator-lease-lost',
  ],
  scheduler: [
    'scheduler-block-folded',
    'scheduler-before-offers',
    'scheduler-offers-sent',
    'scheduler-before-lose',
    'scheduler-lose-answered',
  ],
  monitor: ['monitor-before-feed', 'monitor-feed-published', 'monitor-history-written'],
  worker: [
    'worker-offer-taken',
    'worker-attempt-started',
    'worker-before-call',
    'worker-after-call',
    'worker-body-stored',
    'worker-call-settled',
    'worker-before-complete',
    'worker-after-complete',
  ],
} as const;

export type CrashService = keyof typeof CRASH_POINTS;
export type CrashPoint = (typeof CRASH_POINTS)[CrashService][number];

/** Called when a point is passed; whoever is told may end the process there and then. */
export type PassCrashPoint = (point: CrashPoint) => void;
