import type { TenantId } from '@cadre/contracts';

/** Until callers are told apart, everyone over HTTP is this tenant. */
export const DEFAULT_TENANT: TenantId = 'default';
