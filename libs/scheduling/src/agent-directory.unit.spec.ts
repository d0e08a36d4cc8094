import type { Heartbeat } from '@cadre/contracts';
import { AgentDirectory, DIRECTORY_TIMING } from './agent-directory.js';

const agents = [{ name: 'generalist', description: 'g', skills: ['general'] }];
const beat = (epoch: string, startedAt: number, seq = 0): Heartbeat => {
  return { workerId: 'w', epoch, seq, at: 0, startedAt, specialty: 's', state: 'idle', agents, slots: 1, held: [] };
};

describe('two lives of one worker', () => {
  test('a late beat of the earlier one is passed over', () => {
    const directory = new AgentDirectory(0);
    directory.hear(beat('old', 1000), 0);
    expect(directory.hear(beat('new', 2000), 10)).toBe(true);
    expect(directory.hear(beat('old', 1000, 1), 20)).toBe(false);
    expect(directory.get('w')).toMatchObject({ beat: { epoch: 'new' }, restarted: true });
  });

  test('one whose clock is behind is heard once the other has fallen silent', () => {
    const directory = new AgentDirectory(0);
    directory.hear(beat('old', 2000), 0);
    const later = DIRECTORY_TIMING.lostAfterMs + 1;
    expect(directory.hear(beat('new', 1000), later)).toBe(true);
    expect(directory.offerable(later)).toMatchObject([{ beat: { epoch: 'new' }, restarted: true, firstSeenAt: later }]);
  });
});
