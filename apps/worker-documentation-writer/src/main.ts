import { codeTools, startWorker, templateOf } from '@cadre/worker-kit';
import { documentationWriter } from './documentation-writer.js';

await startWorker({
  specialty: 'documentation-writer',
  agents: [documentationWriter],
  templates: [templateOf(documentationWriter)],
  tools: (workspace) => codeTools(workspace),
});
