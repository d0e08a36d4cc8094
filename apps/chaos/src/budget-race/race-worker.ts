/** The workers that race for the budget: one agent makes one model call for each task, the other two and a tool call between them. */
import { startWorker } from '@cadre/worker-kit';

await startWorker({
  specialty: 'race',
  slots: 30,
  agents: [
    {
      name: 'sprinter',
      description: 'Answers at once.',
      skills: ['sprinting'],
      instructions: 'Answer in a few sentences.',
      tools: [],
      limits: { maxTokens: 300 },
    },
    {
      name: 'runner',
      description: 'Looks around first.',
      skills: ['running'],
      instructions: 'Answer in a few sentences.',
      tools: ['list_files'],
      limits: { maxTokens: 900 },
    },
  ],
});
