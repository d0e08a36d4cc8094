/** Metrics behind one wrapper, so that the rest of the code does not know the library. All names start with `cadre_`. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export type Labels = Record<string, string | number>;

export interface CounterMetric {
  inc(labels?: Labels, by?: number): void;
}
export interface GaugeMetric {
  set(value: number, labels?: Labels): void;
}
export interface HistogramMetric {
  /** Durations are in seconds. */
  observe(value: number, labels?: Labels): void;
}

/** Seconds, from a millisecond to a minute. */
export const DURATION_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Asking twice for the same name gives the same metric. */
export class Metrics {
  private readonly registry = new Registry();

  /** @param service becomes the label `service` of every sample */
  constructor(service: string) {
    this.registry.setDefaultLabels({ service });
    collectDefaultMetrics({ register: this.registry, prefix: 'cadre_' });
  }

  /** @param name ends in `_total` */
  counter(name: string, help: string, labels: string[] = []): CounterMetric {
    const metric = this.known(name, Counter) ?? new Counter({ name, help, labelNames: labels, registers: [this.registry] });
    return { inc: (values, by = 1) => metric.inc(values ?? {}, by) };
  }

  /** @param read when given, asked at each scrape; its value replaces `set` */
  gauge(name: string, help: string, labels: string[] = [], read?: () => number): GaugeMetric {
    const collect = read && { collect: () => metric.set(read()) };
    const metric: Gauge = this.known(name, Gauge) ?? new Gauge({ name, help, labelNames: labels, registers: [this.registry], ...collect });
    return { set: (value, values) => metric.set(values ?? {}, value) };
  }

  histogram(name: string, help: string, labels: string[] = [], buckets: number[] = DURATION_BUCKETS): HistogramMetric {
    const metric = this.known(name, Histogram) ?? new Histogram({ name, help, labelNames: labels, buckets, registers: [this.registry] });
    return { observe: (value, values) => metric.observe(values ?? {}, value) };
  }

  /** In Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  private known<M extends object>(name: string, kind: new (...args: never[]) => M): M | undefined {
    if (!/^cadre_[a-z0-9_]+$/.test(name)) throw new TypeError(`a metric is named cadre_<snake_case>, not ${name}`);
    const metric = this.registry.getSingleMetric(name) as object | undefined;
    if (metric !== undefined && !(metric instanceof kind)) throw new TypeError(`the metric ${name} is of another kind`);
    return metric as M | undefined;
  }
}
