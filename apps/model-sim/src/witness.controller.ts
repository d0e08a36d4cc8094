/** What was really called, and a way to begin anew: `GET /sim/calls`, `POST /sim/reset`. */
import { Body, Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { z } from 'zod';
import type { CallReport } from './call-witness.js';
import { SimState } from './sim-state.js';
import { parseFaults } from './wire/faults.js';
import { invalidRequest } from './wire/openai-error.js';

const ResetRequest = z
  .strictObject({
    faults: z
      .string()
      .refine((text) => parseFaults(text) !== undefined, 'no list of faults')
      .optional(),
  })
  .nullish();

@Controller('sim')
export class WitnessController {
  constructor(@Inject(SimState) private readonly state: SimState) {}

  @Get('calls')
  calls(): CallReport {
    return this.state.witness.report();
  }

  /** Forgets all calls; `{"faults": "…"}` replaces the faults, as `MODEL_SIM_FAULTS` would have them. */
  @Post('reset')
  @HttpCode(200)
  reset(@Body() body: unknown): object {
    const parsed = ResetRequest.safeParse(body);
    if (!parsed.success) throw invalidRequest(parsed.error);
    const faults = parsed.data?.faults;
    if (faults !== undefined) this.state.faults = parseFaults(faults)!;
    this.state.witness.reset();
    return {};
  }
}
