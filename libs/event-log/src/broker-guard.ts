/**
 * Looks at the broker before a service trusts it: what it acknowledges must be as safe as the profile says. `durable` is a promise, so a
 * broker that does not tell how it keeps its data is refused as well, unless somebody has said that it is all right.
 */
import type { NatsConnection } from '@nats-io/transport-node';
import { askMonitors, askServers, type SurveyedServer } from './broker-survey.js';
import { brokerNotDurable, brokerTooOld, brokerUnverified, clusterUnknown, payloadSmall } from './errors.js';
import { checkTopology } from './topology.js';

/** `durable`: on disk before it is acknowledged, three copies in a cluster. `fast`: written to disk in the background, one copy. */
export type BrokerProfile = 'durable' | 'fast';

export interface BrokerDemand {
  profile: BrokerProfile;
  shards: number;
  /** Copies of each stream; 0: as the profile says. */
  replicas: number;
  /** Under `durable`, go on although no server tells how it keeps its data. */
  acceptUnverified: boolean;
  /** Addresses of the servers' monitoring ports, asked when the connection's account may not ask the servers. */
  monitors: readonly string[];
  /** Of every server of the cluster. */
  minVersion: string;
}

export interface BrokerFacts {
  /** Copies that each stream is to have. */
  replicas: number;
  /** Empty when none told. */
  servers: SurveyedServer[];
  /** What does not keep the service from working but should be known, one sentence each. */
  warnings: string[];
}

const MIN_PAYLOAD_BYTES = 1024 * 1024;
const DURABLE_REPLICAS = 3;

/**
 * @throws CadreError `broker-payload-small`, `broker-too-old`, `broker-not-durable`, `broker-unverified`, `topology-mismatch`
 */
export async function guardBroker(nats: NatsConnection, demand: BrokerDemand): Promise<BrokerFacts> {
  const maxPayload = nats.info?.max_payload ?? 0;
  if (maxPayload < MIN_PAYLOAD_BYTES) throw payloadSmall(maxPayload, MIN_PAYLOAD_BYTES);
  const told = await askServers(nats);
  const servers = told.length > 0 ? told : await askMonitors(demand.monitors);
  const old = servers.find(({ version }) => version.localeCompare(demand.minVersion, 'en', { numeric: true }) < 0);
  if (old !== undefined) throw brokerTooOld(old.name, old.version, demand.minVersion);
  const warnings = demand.profile === 'durable' ? durableOrThrow(servers, demand) : notesOnFast(servers);
  const replicas = replicasFor(nats, servers, demand);
  await checkTopology(nats, { shards: demand.shards, replicas });
  return { replicas, servers, warnings };
}

function durableOrThrow(servers: SurveyedServer[], demand: BrokerDemand): string[] {
  if (servers.length === 0) {
    if (!demand.acceptUnverified) throw brokerUnverified(demand.monitors);
    return ['The broker does not tell whether it syncs each write; CADRE_UNVERIFIED_BROKER=accept takes it on trust.'];
  }
  const loose = servers.filter(({ syncAlways }) => !syncAlways).map(({ name }) => name);
  if (loose.length > 0) throw brokerNotDurable(loose);
  const size = clusterSize(servers);
  const warnings: string[] = [];
  if (servers.length < size) warnings.push(`${size - servers.length} of ${size} servers of the cluster did not tell how they keep data.`);
  if (size >= DURABLE_REPLICAS && demand.replicas > 0 && demand.replicas < DURABLE_REPLICAS)
    warnings.push(`CADRE_REPLICAS=${demand.replicas} keeps fewer copies than the profile durable would.`);
  return warnings;
}

function notesOnFast(servers: SurveyedServer[]): string[] {
  if (!servers.some(({ syncAlways }) => syncAlways)) return [];
  return ['The profile is fast, but the broker syncs each write: safe, and slower than the profile says.'];
}

function replicasFor(nats: NatsConnection, servers: SurveyedServer[], { profile, replicas }: BrokerDemand): number {
  if (replicas > 0) return replicas;
  if (profile === 'fast') return 1;
  if (servers.length === 0 && nats.info?.cluster !== undefined) throw clusterUnknown();
  return clusterSize(servers) >= DURABLE_REPLICAS ? DURABLE_REPLICAS : 1;
}

function clusterSize(servers: SurveyedServer[]): number {
  return Math.max(1, ...servers.map(({ clusterSize: size }) => size));
}
