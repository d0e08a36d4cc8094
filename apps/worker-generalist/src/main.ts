import { startWorker } from '@cadre/worker-kit';
import { assistant } from './assistant.js';
import { coordinator } from './coordinator.js';
import { generalist } from './generalist.js';
import { planner } from './planner.js';
import { synthesizer } from './synthesizer.js';

await startWorker({
  specialty: 'generalist',
  agents: [planner, synthesizer, coordinator, generalist],
  templates: [assistant],
  slots: 4,
});
