/** What the supervisor knows of a process that it started. */

export interface RunningProcess {
  pid: number;
  /** Settles when it has ended. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Asks it to stop, and ends it when it does not. */
  stop(): Promise<void>;
  /** Ends it at once, with all that it started. */
  kill(): void;
}

/** How to start one process of the system. */
export interface ProcessSpec {
  name: string;
  /** Processes of a lower stage are started, and ready, before those of a higher one. */
  stage: number;
  /** The same for the stop, highest first. Default: the stage. */
  stopStage?: number;
  /** Settles when it is ready for work. When the signal aborts, it gives up, leaves nothing behind and throws. */
  launch(signal: AbortSignal): Promise<RunningProcess>;
}

/** sysexits.h EX_CONFIG: the settings are wrong, another start would fail the same way. */
export const CONFIG_EXIT_CODE = 78;
