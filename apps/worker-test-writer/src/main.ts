import { startWorker, templateOf } from '@cadre/worker-kit';
import { testTools } from './test-tools.js';
import { testWriter } from './test-writer.js';

await startWorker({ specialty: 'test-writer', agents: [testWriter], templates: [templateOf(testWriter)], tools: testTools() });
