import { Module, type DynamicModule } from '@nestjs/common';
import type { ServiceContext } from '@cadre/service-kit';
import { SchedulerDuty } from './scheduler-duty.js';
import type { SchedulerConfig } from './scheduler.config.js';
import { TensorController } from './tensor.controller.js';
import { UnmatchedController } from './unmatched.controller.js';

/** Wires the scheduler's duty and what it shows. */
@Module({})
export class SchedulerModule {
  static with(context: ServiceContext<SchedulerConfig>): DynamicModule {
    return {
      module: SchedulerModule,
      controllers: [UnmatchedController, TensorController],
      providers: [{ provide: SchedulerDuty, useFactory: () => new SchedulerDuty(context) }],
    };
  }
}
