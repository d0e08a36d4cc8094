import { startService } from '@cadre/service-kit';
import { MonitorConfig } from './monitor.config.js';
import { MonitorModule } from './monitor.module.js';

await startService({ name: 'monitor', schema: MonitorConfig, module: (context) => MonitorModule.with(context) });
