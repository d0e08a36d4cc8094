import { Module, type DynamicModule } from '@nestjs/common';
import { CompletionsController, MODEL_SIM_CONFIG } from './completions.controller.js';
import type { ModelSimConfig } from './model-sim.config.js';
import { SimState } from './sim-state.js';
import { WitnessController } from './witness.controller.js';

@Module({})
export class ModelSimModule {
  static with(config: ModelSimConfig): DynamicModule {
    return {
      module: ModelSimModule,
      controllers: [CompletionsController, WitnessController],
      providers: [
        { provide: MODEL_SIM_CONFIG, useValue: config },
        { provide: SimState, useFactory: () => new SimState(config.MODEL_SIM_FAULTS, config.MODEL_SIM_LIMITS) },
      ],
    };
  }
}
