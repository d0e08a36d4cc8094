/** A worker whose one agent asks a model once for each task. */
import { startWorker } from '@cadre/worker-kit';
import { answerQuestions } from '../harness/children.mjs';

await startWorker({
  specialty: 'bench-model',
  agents: [
    {
      ...{ name: 'generalist', description: 'For measurements', skills: ['bench'], instructions: 'Answer.', tools: [] },
      limits: { maxMs: 600_000 },
    },
  ],
});
answerQuestions({ ready: () => true });
