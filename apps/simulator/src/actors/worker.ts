/** A worker: production's desk, attempts, calls and heartbeats on simulated ports. */
import { createHash } from 'node:crypto';
import { AttemptDesk, Pulse, type WorkSurroundings } from '@cadre/agents';
import { AgentDefinition, DELEGATING_TOOLS, meetsLabels, type AgentState, type HeldAttempt, type Labels } from '@cadre/contracts';
import { PersistentSender } from '@cadre/engine';
import { SimBlobs } from '../ports/sim-blobs.js';
import { SimCommandLine } from '../ports/sim-command-line.js';
import type { Outside } from '../outside/outside.js';
import type { Surroundings } from '../surroundings.js';
import type { Wire } from '../wire.js';
import type { Duty } from './machine.js';
import { TOOLS } from './calls.js';
import { LABELS } from './plans.js';
import { simulatedPerformer } from './performer.js';

export interface WorkerSettings {
  workerId: string;
  slots: number;
  agents: AgentDefinition[];
}

export interface WorkerDuty extends Duty {
  held(): HeldAttempt[];
  /** Agents whose work could be taken now. */
  freeAgents(): string[];
}

const GRACE_MS = 800;

export const DEFINITIONS: AgentDefinition[] = [
  {
    name: 'alpha',
    description: 'does all',
    skills: ['general', 'planning', 'synthesis', 'testing'],
    fallbackModels: ['cheap'],
    labels: LABELS,
  },
  { name: 'beta', description: 'does less', skills: ['general', 'testing'], limits: { maxCostMicros: 3000 } },
].map((agent) => AgentDefinition.parse({ instructions: 'do it', tools: Object.keys(TOOLS), ...agent }));

/** Whether the agent has the labels that the task asks for. */
export function hasLabels(agent: string, task: { labels?: Labels | undefined } | undefined): boolean {
  return meetsLabels(DEFINITIONS.find(({ name }) => name === agent)?.labels, task?.labels);
}

/** The same, but they may give work to each other. */
export const DELEGATING_DEFINITIONS: AgentDefinition[] = DEFINITIONS.map((agent) => {
  return { ...agent, tools: [...agent.tools, ...DELEGATING_TOOLS] };
});

export function bootWorker(
  around: Surroundings,
  outside: Outside,
  { workerId, slots, agents }: WorkerSettings,
): (wire: Wire) => WorkerDuty {
  return (wire) => {
    const { broker, trace } = around;
    const { life } = wire;
    const { clock, chance } = life;
    const say = (attempt: HeldAttempt, text: () => string): void =>
      trace.say(life.name, () => `${attempt.runId.slice(-4)}/${attempt.taskId}/${attempt.attempt} ${text()}`);
    const blobs = new SimBlobs(wire, broker.blobs);
    const performer = simulatedPerformer(life, outside, blobs);
    const surroundings: WorkSurroundings = {
      workerId,
      life: epochOf(life.name),
      clock,
      chance,
      sender: new PersistentSender(new SimCommandLine(wire, broker), clock),
      blobs,
      digest: (text) => createHash('md5').update(text).digest('hex'),
      at: (point) => wire.pass(point),
      performerOf: () => performer,
      reports: {
        ended: (attempt, _agent, ending, _ms, error) => say(attempt, () => `${ending} ${error?.code ?? ''}`),
        made: (call) => trace.say(life.name, () => `${call.name} ${call.key.slice(0, 6)} ${call.outcome} ${call.note}`),
        recorded: (call) => trace.say(life.name, () => `${call.name} is on record`),
        trouble: (attempt, what, error) => say(attempt, () => `${what}: ${String(error)}`),
      },
    };
    let phase: AgentState | undefined;
    const pulse: Pulse = new Pulse(
      identityOf(life.name, workerId, clock.now(), agents),
      () => {
        const held = desk.held();
        return { state: phase ?? (held.length > 0 ? 'running' : 'idle'), slots: desk.openSlots, held };
      },
      clock,
      (beat) => wire.publish('heartbeat', broker.heartbeats, '*', JSON.parse(JSON.stringify(beat)) as typeof beat),
    );
    const desk: AttemptDesk = new AttemptDesk(agents, slots, around.plant.worker?.(surroundings, wire) ?? surroundings, () =>
      pulse.beatSoon(),
    );
    broker.offers.listen(`${workerId}.${epochOf(life.name)}`, life, (batch) => desk.take(batch));
    broker.cancels.listen(workerId, life, (batch) => desk.cancel(batch));
    broker.backlogs.listen('*', life, (backlog) => desk.hearBacklog(backlog));
    pulse.start();
    return {
      held: () => (life.isDead ? [] : desk.held()),
      freeAgents: () => (life.state === 'running' && desk.heldCount < desk.openSlots ? agents.map(({ name }) => name) : []),
      stop: async () => {
        const closing = desk.close(GRACE_MS);
        pulse.beatSoon();
        await closing;
        phase = 'terminated';
        pulse.stop();
        await wire.ask('flush', () => true).catch(() => undefined);
      },
    };
  };
}

function epochOf(life: string): string {
  return life.replace(/\W/g, '');
}

function identityOf(life: string, workerId: string, startedAt: number, agents: AgentDefinition[]) {
  const summaries = agents.map(({ name, description, skills, labels }) => ({ name, description, skills, ...(labels && { labels }) }));
  return { workerId, epoch: epochOf(life), startedAt, specialty: 'simulated', agents: summaries };
}
