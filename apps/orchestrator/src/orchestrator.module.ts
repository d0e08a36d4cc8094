import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import type { ServiceContext } from '@cadre/service-kit';
import type { OrchestratorConfig } from './orchestrator.config.js';
import { ShardDuty } from './shard-duty.js';

/** Wires the keeper of each shard. */
@Module({})
export class OrchestratorModule {
  static with(context: ServiceContext<OrchestratorConfig>): DynamicModule {
    return {
      module: OrchestratorModule,
      providers: [{ provide: ShardDuty, useFactory: () => new ShardDuty(context) }],
    };
  }
}
