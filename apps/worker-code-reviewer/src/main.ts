import { codeTools, startWorker } from '@cadre/worker-kit';
import { codeReviewer } from './code-reviewer.js';

await startWorker({ specialty: 'code-reviewer', agents: [codeReviewer], tools: (workspace) => codeTools(workspace) });
