/** Many workers in one process, as far as others can see them: each beats four times a second and is never offered anything. */
import { HEARTBEAT, SUBJECTS } from '@cadre/contracts';
import { connectNats } from '@cadre/messaging';
import { answerQuestions } from '../harness/children.mjs';

const nats = await connectNats({ url: process.env.NATS_URL, name: 'bench-crowd' });
const startedAt = Date.now();
let beats = [];
let seq = 0;

answerQuestions({ ready: () => true, gather });
process.on('SIGTERM', () => process.exit(0));

/** From now on there are so many; the beats of all are spread over the interval. */
function gather({ count }) {
  for (const timer of beats) clearInterval(timer);
  const groups = 25;
  beats = Array.from({ length: groups }, (_, group) => setTimeout(() => start(group), (group * HEARTBEAT.everyMs) / groups));

  function start(group) {
    beats[group] = setInterval(() => {
      for (let i = group; i < count; i += groups) beat(i);
    }, HEARTBEAT.everyMs);
  }
}

function beat(i) {
  const workerId = `crowd-${i}`;
  const agents = [{ name: `member-${i}`, description: 'One of many', skills: ['crowd'] }];
  const identity = { workerId, epoch: 'one', startedAt, specialty: 'crowd', agents };
  const vitals = { seq: (seq += 1), at: Date.now(), state: 'idle', slots: 2, held: [] };
  nats.publish(SUBJECTS.heartbeat(workerId), JSON.stringify({ ...identity, ...vitals }));
}
