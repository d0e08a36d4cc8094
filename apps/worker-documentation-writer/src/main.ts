import { codeTools, startWorker } from '@cadre/worker-kit';
import { documentationWriter } from './documentation-writer.js';

await startWorker({
  specialty: 'documentation-writer',
  agents: [documentationWriter],
  tools: (workspace) => codeTools(workspace),
});
