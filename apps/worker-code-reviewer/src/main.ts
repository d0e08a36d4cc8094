import { codeTools, startWorker, templateOf } from '@cadre/worker-kit';
import { codeReviewer } from './code-reviewer.js';

await startWorker({
  specialty: 'code-reviewer',
  agents: [codeReviewer],
  templates: [templateOf(codeReviewer)],
  tools: (workspace) => codeTools(workspace),
});
