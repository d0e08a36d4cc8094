import { Controller, Get, Inject, ServiceUnavailableException } from '@nestjs/common';
import type { TaskTensor } from '@cadre/scheduling';
import { SchedulerDuty } from './scheduler-duty.js';

/** What is assigned to whom, and who could take what waits. */
@Controller()
export class TensorController {
  constructor(@Inject(SchedulerDuty) private readonly duty: SchedulerDuty) {}

  @Get('tensor')
  show(): TaskTensor {
    const { tensor } = this.duty;
    if (tensor === undefined) throw new ServiceUnavailableException('This scheduler stands by; ask the one that leads.');
    return tensor;
  }
}
