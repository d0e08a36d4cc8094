/** Disasters strike machines and the broker at random times, until the sky clears. */
import type { Machine } from './actors/machine.js';
import type { Surroundings } from './surroundings.js';
import { DISASTERS, type Disasters } from './weather.js';

export class DisasterDesk {
  constructor(
    private readonly around: Surroundings,
    private readonly machines: readonly Machine[],
  ) {
    for (const kind of DISASTERS) this.#expect(kind);
  }

  /** Everything that still stands in the way is gone at once: zombies wake, cuts heal, the broker answers. */
  heal(): void {
    const { broker, sky, trace } = this.around;
    sky.clear();
    broker.isUp = true;
    for (const machine of this.machines) {
      if (!machine.life) machine.start();
      if (machine.life) machine.life.connected = true;
      machine.life?.resume();
    }
    trace.say('WEATHER', () => 'clears up');
  }

  #expect(kind: keyof Disasters): void {
    const { sky, timeline } = this.around;
    const meanMs = sky.weather.disasters[kind];
    if (meanMs === 0) return;
    timeline.after(-Math.log(1 - sky.chance.random()) * meanMs, () => {
      if (sky.isCalm) return;
      this.#strike(kind);
      this.#expect(kind);
    });
  }

  #strike(kind: keyof Disasters): void {
    const { broker, sky, timeline, trace } = this.around;
    const dice = sky.chance;
    const machine = dice.pick(this.machines);
    const { life } = machine;
    if (kind === 'outage') {
      if (!broker.isUp) return;
      broker.isUp = false;
      trace.say('WEATHER', () => 'the broker is gone');
      timeline.after(dice.int(50, 3000), () => (broker.isUp = true));
    } else if (kind === 'revoke') {
      const names = broker.leases.names();
      if (names.length > 0) broker.leases.takeBack(dice.pick(names), timeline.now);
    } else if (life) {
      trace.say('WEATHER', () => `${kind} of ${life.name}`);
      if (kind === 'crash') life.kill();
      else if (kind === 'restart') machine.restart();
      else if (kind === 'pause') {
        life.pause();
        timeline.after(dice.int(50, 6000), () => life.resume());
      } else {
        life.connected = false;
        timeline.after(dice.int(50, 5000), () => (life.connected = true));
      }
    }
  }
}
