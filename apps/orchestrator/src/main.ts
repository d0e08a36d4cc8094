import { startService } from '@cadre/service-kit';
import { OrchestratorConfig } from './orchestrator.config.js';
import { OrchestratorModule } from './orchestrator.module.js';

await startService({ name: 'orchestrator', schema: OrchestratorConfig, module: (context) => OrchestratorModule.with(context) });
