/** Examples of the context store; a test holds them to the schemas. */
import type {
  ContextArtifactView,
  ContextDeleted,
  ContextGrants,
  ContextGrantsList,
  ContextGrantsRequest,
  ContextLineage,
  ContextPage,
  ContextPutRequest,
  ContextVersion,
  MemoryView,
  RunLineage,
} from '@cadre/contracts';
import type { z } from 'zod';

const runId = 'r00-01936c5e-7d1c-7e3a-9d55-0b6f4c1d2e3f';
const at = Date.UTC(2026, 10, 20, 12);
const sha256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const body = { sha256, size: 5120, mediaType: 'text/markdown' };
const source = { artifact: 'facts/stations.md', version: 1, sha256 };
const weather = { name: 'weather.csv', sha256, size: 48_219, mediaType: 'text/csv' };

const contextPut: z.input<typeof ContextPutRequest> = {
  content: { text: '# Weather\n\nTemperatures rise by 0.2 °C a year.' },
  tags: ['weather'],
  expects: 2,
  ttlMs: 2_592_000_000,
};
const version: ContextVersion = {
  ...{ version: 3, at, key: '5f2b6a0e9c1d4783a6b0c9d8e7f60512', body, tags: ['weather'] },
  by: { kind: 'agent', agent: 'data-analyst', runId, taskId: 'analyse', attempt: 1 },
  from: [source, { input: 'weather.csv', sha256 }],
};
const { key: _key, ...step } = version;
const { from: _from, ...summary } = step;
const steps: ContextLineage['steps'] = [
  { ...step, artifact: 'reports/weather.md' },
  { ...source, gone: true },
];
const contextArtifact: ContextArtifactView = { name: 'reports/weather.md', version: 3, keep: 10, versions: [version] };
const contextPage: ContextPage = { artifacts: [{ ...summary, name: 'reports/weather.md' }], nextCursor: 'reports/weather.md' };
const contextDeleted: ContextDeleted = { name: 'reports/weather.md', version: 3 };
const contextLineage: ContextLineage = { name: 'reports/weather.md', version: 3, steps, more: false };
const contextGrantsRequest: ContextGrantsRequest = {
  rules: [
    { on: 'facts/', may: ['read'] },
    { on: 'reports/', may: ['read', 'write'] },
  ],
};
const contextGrants: ContextGrants = { agent: 'data-analyst', ...contextGrantsRequest };
const contextGrantsList: ContextGrantsList = { grants: [contextGrants] };
const runLineage: RunLineage = {
  ...{ runId, status: 'completed', inputs: [weather], context: [{ ...source, gone: true }], more: false },
  tasks: [
    {
      ...{ taskId: 'analyse', title: 'Analyse the weather data', status: 'completed', agent: 'data-analyst', from: [], artifacts: [] },
      ...{ read: [source], written: [{ artifact: 'reports/weather.md', version: 3, sha256 }] },
    },
  ],
};

const said = { runId, taskId: 'analyse', at, key: '5f2b6a0e9c1d4783a6b0c9d8e7f60512' };
const memory: MemoryView = {
  ...{ agent: 'data-analyst', shareWith: ['synthesizer'], summary: 'The weather of 2024 (task profile): 0.2 °C warmer.' },
  ...{ summarised: 2, leftOut: 0, tokens: 69 },
  messages: [
    { ...said, role: 'user', text: 'Analyse the weather data: Find trends.' },
    { ...said, role: 'assistant', text: 'Temperatures rise by 0.2 °C a year.' },
  ],
};

export const CONTEXT_EXAMPLES = {
  memory,
  contextPut,
  contextArtifact,
  contextPage,
  contextDeleted,
  contextLineage,
  contextGrantsRequest,
  contextGrants,
  contextGrantsList,
  runLineage,
};
