/** Who may do what in the shared context. What is not granted is forbidden. */
import type { AgentName, ContextAccess, ContextAuthor, ContextGrants, ContextName } from '@cadre/contracts';

/** People may do everything within their tenant. */
export function isAllowed(by: ContextAuthor, access: ContextAccess, name: ContextName, grants: ContextGrants | undefined): boolean {
  if (by.kind === 'user') return true;
  return grants?.rules.some(({ on, may }) => may.includes(access) && covers(on, name)) ?? false;
}

export function agentOf(by: ContextAuthor): AgentName | undefined {
  return by.kind === 'agent' ? by.agent : undefined;
}

function covers(pattern: string, name: ContextName): boolean {
  return pattern === '*' || pattern === name || (pattern.endsWith('/') && name.startsWith(pattern));
}
