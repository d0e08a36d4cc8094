import { Module, type DynamicModule } from '@nestjs/common';
import type { ServiceContext } from '@cadre/service-kit';
import type { MonitorConfig } from './monitor.config.js';
import { MonitorDuty } from './monitor-duty.js';

/** Wires the monitor's duty. */
@Module({})
export class MonitorModule {
  static with(context: ServiceContext<MonitorConfig>): DynamicModule {
    return { module: MonitorModule, providers: [{ provide: MonitorDuty, useFactory: () => new MonitorDuty(context) }] };
  }
}
