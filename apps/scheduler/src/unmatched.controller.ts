import { Controller, Get, Inject } from '@nestjs/common';
import { SchedulerDuty } from './scheduler-duty.js';

/** Why work waits: what no live agent can do, and which agents are left alone because they fail. */
@Controller()
export class UnmatchedController {
  constructor(@Inject(SchedulerDuty) private readonly duty: SchedulerDuty) {}

  @Get('unmatched')
  list(): SchedulerDuty['unmatched'] {
    return this.duty.unmatched;
  }
}
