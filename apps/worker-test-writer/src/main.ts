import { startWorker } from '@cadre/worker-kit';
import { testTools } from './test-tools.js';
import { testWriter } from './test-writer.js';

await startWorker({ specialty: 'test-writer', agents: [testWriter], tools: testTools() });
