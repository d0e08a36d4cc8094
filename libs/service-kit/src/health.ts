/** Whether the service can take work: named checks, asked at each `/readyz`. */
export interface CheckResult {
  ok: boolean;
  detail?: string;
}
export type HealthCheck = () => CheckResult | Promise<CheckResult>;

export interface Readiness {
  ready: boolean;
  phase: 'starting' | 'serving' | 'stopping';
  checks: Record<string, CheckResult>;
}

const CHECK_TIMEOUT_MS = 2000;

export class Health {
  private readonly checks = new Map<string, HealthCheck>();
  private phase: Readiness['phase'] = 'starting';

  /** @returns a function that takes the check out again */
  register(name: string, check: HealthCheck): () => void {
    this.checks.set(name, check);
    return () => void this.checks.delete(name);
  }

  serving(): void {
    if (this.phase === 'starting') this.phase = 'serving';
  }

  stopping(): void {
    this.phase = 'stopping';
  }

  get isStopping(): boolean {
    return this.phase === 'stopping';
  }

  async readiness(): Promise<Readiness> {
    const results = await Promise.all([...this.checks].map(async ([name, check]) => [name, await ask(check)] as const));
    const ready = this.phase === 'serving' && results.every(([, result]) => result.ok);
    return { ready, phase: this.phase, checks: Object.fromEntries(results) };
  }
}

async function ask(check: HealthCheck): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<CheckResult>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, detail: `no result within ${CHECK_TIMEOUT_MS} ms` }), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([Promise.resolve().then(check), late]);
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
