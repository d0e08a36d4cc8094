import { Module, type DynamicModule } from '@nestjs/common';
import { CompletionsController, MODEL_SIM_CONFIG } from './completions.controller.js';
import type { ModelSimConfig } from './model-sim.config.js';

@Module({})
export class ModelSimModule {
  static with(config: ModelSimConfig): DynamicModule {
    return { module: ModelSimModule, controllers: [CompletionsController], providers: [{ provide: MODEL_SIM_CONFIG, useValue: config }] };
  }
}
