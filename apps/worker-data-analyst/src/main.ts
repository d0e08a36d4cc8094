import { startWorker } from '@cadre/worker-kit';
import { dataAnalyst } from './data-analyst.js';
import { dataTools } from './data-tools.js';

await startWorker({ specialty: 'data-analyst', agents: [dataAnalyst], tools: dataTools() });
