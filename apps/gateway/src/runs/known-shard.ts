/** A run id that cannot be one of ours is told at once; nobody would ever answer for it. */
import { CadreError, RunId, shardOf } from '@cadre/contracts';
import { SERVICE_CONTEXT, type ServiceContext } from '@cadre/service-kit';
import { Inject, Injectable, type PipeTransform } from '@nestjs/common';

@Injectable()
export class KnownShard implements PipeTransform<string, RunId> {
  constructor(@Inject(SERVICE_CONTEXT) private readonly context: ServiceContext) {}

  transform(value: string): RunId {
    const parsed = RunId.safeParse(value);
    if (parsed.success && shardOf(parsed.data) < this.context.config.CADRE_SHARDS) return parsed.data;
    const shown = JSON.stringify(value.slice(0, 80));
    throw new CadreError('unknown-run', `There is no run ${shown}.`, {
      remedy: 'a run id looks like r00-<uuid>; GET /v1/runs lists the runs there are',
    });
  }
}
