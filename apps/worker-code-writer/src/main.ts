import { codeTools, startWorker } from '@cadre/worker-kit';
import { codeWriter } from './code-writer.js';

await startWorker({ specialty: 'code-writer', agents: [codeWriter], tools: (workspace) => codeTools(workspace) });
