import { codeTools, startWorker, templateOf } from '@cadre/worker-kit';
import { codeWriter } from './code-writer.js';

await startWorker({
  specialty: 'code-writer',
  agents: [codeWriter],
  templates: [templateOf(codeWriter)],
  tools: (workspace) => codeTools(workspace),
});
