/** What the exit code of `cadre` says. Scripts rely on it; docs/CLI.md and `--help` list it. */
export const EXIT = {
  ok: 0,
  /** The run failed, or the command did. */
  failed: 1,
  /** Wrong arguments, or a request that was refused. */
  usage: 2,
  /** The run has an answer, but something of what was asked for was not done: some of its tasks failed, or no output has it. */
  partial: 3,
  cancelled: 4,
  /** No gateway answers, or it is not able to at the moment. */
  unreachable: 5,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

export const EXIT_HELP = `Exit codes:
  0    done; for run and watch: the run completed
  1    the run failed, or the command did
  2    wrong arguments, or a request that was refused
  3    the run completed in part: what was not done is named first in its answer
  4    the run was cancelled, or its plan declined
  5    the gateway cannot be reached or is not able to answer
  130  interrupted by Ctrl-C (the run goes on)`;
