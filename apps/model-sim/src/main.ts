import { CadreError } from '@cadre/contracts';
import { startModelSim, type RunningModelSim } from './start-model-sim.js';

let running: RunningModelSim;
try {
  running = await startModelSim(process.env);
} catch (error) {
  process.stderr.write(`${error instanceof CadreError ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
  process.exit(error instanceof CadreError && error.code === 'config-invalid' ? 78 : 1);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    running.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}
