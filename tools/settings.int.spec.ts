/** docs/SETTINGS.md has each setting of each service with its default, and none that there is not. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { BaseConfig } from '@cadre/service-kit';
import { WorkerConfig } from '@cadre/worker-kit';
import type { z } from 'zod';
import { GatewayConfig } from '../apps/gateway/src/gateway.config.js';
import { ModelSimConfig } from '../apps/model-sim/src/model-sim.config.js';
import { MonitorConfig } from '../apps/monitor/src/monitor.config.js';
import { OrchestratorConfig } from '../apps/orchestrator/src/orchestrator.config.js';
import { SchedulerConfig } from '../apps/scheduler/src/scheduler.config.js';

const OWN: Record<string, z.ZodObject> = {
  Gateway: GatewayConfig,
  Orchestrator: OrchestratorConfig,
  Scheduler: SchedulerConfig,
  Monitor: MonitorConfig,
  Workers: WorkerConfig,
  'The deterministic model server': ModelSimConfig,
};

const text = readFileSync(join(import.meta.dirname, '../docs/SETTINGS.md'), 'utf8');

/** Name and default by section. */
function documented(section: string): Map<string, string> {
  const part = text.split(/^## /m).find((each) => each.startsWith(`${section}\n`)) ?? '';
  return new Map([...part.matchAll(/^\| `([A-Z][A-Z0-9_]*)` \| (.*?) ?\| .*\S.* \|$/gm)].map(([, name, value]) => [name!, value!]));
}

function wanted(schema: z.ZodObject, without: object = {}): Map<string, string> {
  const defaults: Record<string, unknown> = schema.parse({});
  const names = Object.keys(schema.shape).filter((name) => !(name in without));
  return new Map(names.map((name) => [name, shown(defaults[name])]));
}

function shown(value: unknown): string {
  if (value === undefined || typeof value === 'object' || value === '') return '';
  const path = String(value);
  return path.startsWith(tmpdir()) ? `\`${path.replace(tmpdir(), '<temporary folder>')}\`` : `\`${path}\``;
}

const sorted = (settings: Map<string, string>): [string, string][] => [...settings].sort(([a], [b]) => (a < b ? -1 : 1));

test('every service', () => expect(sorted(documented('Every service'))).toEqual(sorted(wanted(BaseConfig))));

test.each(Object.entries(OWN))('%s', (section, schema) => {
  expect(sorted(documented(section))).toEqual(sorted(wanted(schema, BaseConfig.shape)));
});

test('what the command line and its libraries read from the environment stands in the documents', () => {
  const root = join(import.meta.dirname, '..');
  const files = ['apps/cli', 'libs/local-system', 'libs/nats-server', 'libs/models'].flatMap((project) =>
    readdirSync(join(root, project, 'src'), { recursive: true, encoding: 'utf8' }).map((file) => join(root, project, 'src', file)),
  );
  const source = files
    .filter((file) => /(?<!\.spec)\.ts$/.test(file) && !file.includes('/testing/'))
    .map((file) => readFileSync(file, 'utf8'));
  const read = new Set([...source.join('\n').matchAll(/env\['((?:CADRE|OPENAI|HTTPS?|NO)_[A-Z_]+)'\]/g)].map(([, name]) => name!));
  const papers = text + readFileSync(join(root, 'docs/CLI.md'), 'utf8');
  expect(read.size).toBeGreaterThan(8);
  expect([...read].filter((name) => !papers.includes(`\`${name}\``))).toEqual([]);
});
