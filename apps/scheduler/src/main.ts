import { startService } from '@cadre/service-kit';
import { SchedulerConfig } from './scheduler.config.js';
import { SchedulerModule } from './scheduler.module.js';

await startService({ name: 'scheduler', schema: SchedulerConfig, module: (context) => SchedulerModule.with(context) });
