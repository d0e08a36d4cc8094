/** The services that a local system is made of. */

export interface LocalService {
  /** Names its process, log and port. */
  name: string;
  /** Folder under `apps/`; default: the name. */
  app?: string;
  /** What is run, within the folder; default: the bundle that the build makes of it. */
  script?: string;
  /** Of a worker; default: what follows `worker-` in the folder's name. */
  specialty?: string;
  stopStage: number;
}

export const WORKERS = ['data-analyst', 'code-writer', 'test-writer', 'documentation-writer', 'code-reviewer', 'generalist'] as const;

/**
 * Names as in `apps/`. All are started together, after NATS. Those that still have something to say to the owner of the runs when they stop
 * (workers hand back their work) stop before it.
 */
export const LOCAL_SERVICES: readonly LocalService[] = [
  { name: 'model-sim', stopStage: 1 },
  { name: 'orchestrator', stopStage: 1 },
  { name: 'monitor', stopStage: 1 },
  { name: 'scheduler', stopStage: 2 },
  { name: 'gateway', stopStage: 2 },
  ...WORKERS.map((specialty) => ({ name: `worker-${specialty}`, stopStage: 2 })),
];
