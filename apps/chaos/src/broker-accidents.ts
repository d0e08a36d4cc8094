/** The broker dies: the only server, or the leader of the log in a cluster of three. Whatever it had acknowledged must be there. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { STREAMS, SUBJECTS } from '@cadre/contracts';
import { jetstream } from '@nats-io/jetstream';
import { startNatsCluster } from '@cadre/nats-server';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { playRounds, type AccidentResult } from './accident.js';
import type { Cast } from './cast.js';
import { unlike } from './crash-rounds.js';
import { playOn, type Play } from './play.js';
import { runsDuring } from './runs-during.js';

export async function brokerKilled(cast: Cast, rounds: number, seed: number): Promise<AccidentResult> {
  return playOn(cast, cast.stage(), seed, (play) =>
    brokerRounds('broker killed', play, rounds, async () => {
      const at = play.stage.signal('nats-server', 'SIGKILL');
      return () => play.stage.ready('nats-server', at);
    }),
  );
}

export async function clusterLeaderKilled(cast: Cast, rounds: number, seed: number): Promise<AccidentResult> {
  const cluster = await startNatsCluster();
  try {
    const stage = cast.stage();
    const env = { ...stage.env, CADRE_REPLICAS: '3' };
    return await playOn(cast, { ...stage, env, natsUrl: cluster.url }, seed, (play) =>
      brokerRounds('leader of three brokers killed', play, rounds, async () => {
        const leader = await cluster.leaderOf(STREAMS.log(0));
        await leader.kill();
        return () => leader.start();
      }),
    );
  } finally {
    await cluster.stop();
  }
}

/** @param kill what it gives brings the dead one back, or waits until it is */
async function brokerRounds(
  name: string,
  play: Play,
  rounds: number,
  kill: () => Promise<() => Promise<unknown>>,
): Promise<AccidentResult> {
  const kind = { name, measured: 'a run that was started right after it is acknowledged', limitMs: 15_000 };
  const noise = await EventNoise.start(play.stage.live.natsUrl);
  const result = await playRounds(kind, rounds, play, async () => {
    const { runs, value } = await runsDuring(play, async () => {
      const at = Date.now();
      const revive = await kill();
      const runId = await play.submitter.start(play.request);
      const recoveryMs = Date.now() - at;
      await revive();
      return { runId, recoveryMs };
    });
    const ended = await Promise.all([...runs, value.runId].map((runId) => play.submitter.ended(runId)));
    const faults = ended.flatMap((run) => unlike(run, play.expected));
    return { runs: [...runs, value.runId], recoveryMs: value.recoveryMs, faults };
  });
  const lost = await noise.lost();
  const faults = lost === 0 ? [] : [`${lost} of ${noise.acknowledged} acknowledged events are not accounted for`];
  return { ...result, acknowledgedLost: result.acknowledgedLost + lost, faults: [...result.faults, ...faults] };
}

const QUIET_MS = 30_000;

/** Events that nobody handles, sent all the time: each that the broker acknowledged must come to rest among the dead letters. */
class EventNoise {
  acknowledged = 0;
  readonly #ids = new Set<string>();
  #stopped = false;
  #sending: Promise<void> = Promise.resolve();

  private constructor(private readonly nats: NatsConnection) {}

  static async start(natsUrl: string): Promise<EventNoise> {
    const noise = new EventNoise(await connect({ servers: natsUrl.split(','), maxReconnectAttempts: -1, reconnectTimeWait: 200 }));
    noise.#sending = noise.#send();
    return noise;
  }

  /** Stops, waits until the last is set aside (for half a minute after the last that was found), and counts those that are nowhere. */
  async lost(): Promise<number> {
    this.#stopped = true;
    await this.#sending;
    const missing = new Set(this.#ids);
    const consumer = await jetstream(this.nats).consumers.get(STREAMS.dead);
    const letters = await consumer.consume();
    let idle = setTimeout(() => letters.stop(), QUIET_MS);
    if (missing.size === 0) letters.stop();
    for await (const letter of letters) {
      if (!missing.delete(idIn(letter.string()) ?? '')) continue;
      clearTimeout(idle);
      idle = setTimeout(() => letters.stop(), QUIET_MS);
      if (missing.size === 0) letters.stop();
    }
    clearTimeout(idle);
    await this.nats.close();
    return missing.size;
  }

  async #send(): Promise<void> {
    while (!this.#stopped) {
      const id = randomUUID();
      const event = { specversion: '1.0', id, source: '/chaos', type: 'noise', data: {} };
      try {
        const reply = await this.nats.request(SUBJECTS.ingress('default', 'noise'), JSON.stringify(event), { timeout: 2000 });
        if (reply.json<{ error?: unknown }>().error === undefined) {
          this.acknowledged += 1;
          this.#ids.add(id);
        }
      } catch {
        // Not acknowledged: it may be stored or not.
      }
      await sleep(20);
    }
  }
}

/** @param text a dead letter: the event as it came, as JSON in JSON or plain */
function idIn(text: string): string | undefined {
  return /"id\\?":\s*\\?"([0-9a-f-]{36})/.exec(text)?.[1];
}
