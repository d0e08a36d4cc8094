import { startWorker, templateOf } from '@cadre/worker-kit';
import { dataAnalyst } from './data-analyst.js';
import { dataTools } from './data-tools.js';

await startWorker({ specialty: 'data-analyst', agents: [dataAnalyst], templates: [templateOf(dataAnalyst)], tools: dataTools() });
