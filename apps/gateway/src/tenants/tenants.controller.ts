import { CadreError, TenantBudgetRequest, TenantBudgetView } from '@cadre/contracts';
import { inputProblem, traceOf } from '@cadre/service-kit';
import { Controller, Get, Param, Put, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Described } from '../api-docs/described.js';
import { EXAMPLES } from '../api-docs/examples.js';
import { HistoryClient } from '../history/history-client.js';
import { DEFAULT_TENANT } from '../tenant.js';
import { TenantBudgets } from './tenant-budgets.js';

@ApiTags('Tenants')
@Controller('v1/tenants/:tenant/budget')
export class TenantsController {
  constructor(
    private readonly budgets: TenantBudgets,
    private readonly history: HistoryClient,
  ) {}

  @Get()
  @Described({
    summary: "Get a tenant's cap and what its runs have spent",
    ok: { status: 200, description: 'Over all its runs, ended ones too', schema: TenantBudgetView, example: EXAMPLES.tenantBudget },
    problems: [404, 503],
  })
  get(@Param('tenant') tenant: string, @Req() http: FastifyRequest): Promise<TenantBudgetView> {
    assertOwn(tenant);
    return this.history.tenantBudget(tenant, traceOf(http));
  }

  @Put()
  @Described({
    summary: "Set a tenant's cap",
    description:
      'The most that all its runs together may ever cost, in millionths of a US dollar; null takes the cap away. Answered when the cap holds. What has been spent counts.',
    ok: { status: 200, description: 'The cap holds', schema: TenantBudgetView, example: EXAMPLES.tenantBudget },
    problems: [400, 404, 503],
  })
  async set(@Param('tenant') tenant: string, @Req() http: FastifyRequest): Promise<TenantBudgetView> {
    assertOwn(tenant);
    const parsed = TenantBudgetRequest.safeParse(http.body ?? {});
    if (!parsed.success) throw inputProblem(parsed.error.issues);
    await this.budgets.set(tenant, parsed.data.capMicros);
    // The history may be a moment behind.
    return { ...(await this.history.tenantBudget(tenant, traceOf(http))), capMicros: parsed.data.capMicros };
  }
}

/** Another tenant does not exist for this caller. */
function assertOwn(tenant: string): void {
  if (tenant === DEFAULT_TENANT) return;
  throw new CadreError('not-found', `There is no tenant ${JSON.stringify(tenant.slice(0, 40))}.`, { remedy: `yours is ${DEFAULT_TENANT}` });
}
