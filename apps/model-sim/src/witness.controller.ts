/** What was really called and refused, and a way to begin anew: `GET /sim/calls`, `GET /sim/limits`, `POST /sim/reset`. */
import { Body, Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { z } from 'zod';
import type { CallReport } from './call-witness.js';
import { SimState } from './sim-state.js';
import { parseFaults } from './wire/faults.js';
import type { LimitReport } from './wire/limiter.js';
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

  /** What the limits let in and what they refused. */
  @Get('limits')
  limits(): LimitReport {
    return this.state.limiter.report;
  }

  /**
   * Forgets all calls, and with them what was used of the limits; `{"faults": "…"}` replaces the faults, as `MODEL_SIM_FAULTS` would have
   * them.
   */
  @Post('reset')
  @HttpCode(200)
  reset(@Body() body: unknown): object {
    const parsed = ResetRequest.safeParse(body);
    if (!parsed.success) throw invalidRequest(parsed.error);
    const faults = parsed.data?.faults;
    if (faults !== undefined) this.state.faults = parseFaults(faults)!;
    this.state.reset();
    return {};
  }
}
