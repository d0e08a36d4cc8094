/**
 * Who may do what in a channel, and who gets what. Pure: the same answers for agents and for those who use the API, whatever carries the
 * messages.
 */
import type { Channel, ChannelRight, Json, Message, Subscription } from '@cadre/contracts';
import { checkExpression, evaluateCondition } from '@cadre/engine';
import { notAllowed, type ChannelFault } from './channel-errors.js';

export function may(channel: Channel, participant: string, right: ChannelRight): boolean {
  return channel.members.some(({ name, rights }) => (name === '*' || name === participant) && rights.includes(right));
}

/** @throws CadreError `forbidden` */
export function assertMay(channel: Channel, participant: string, right: ChannelRight): void {
  if (!may(channel, participant, right)) throw notAllowed(participant, right, channel.name);
}

/** What is wrong with the addressees of a message. */
export function addressFaults({ kind, ...channel }: Channel, to: readonly string[] | undefined): ChannelFault[] {
  const named = to?.length ?? 0;
  if (kind === 'direct' && named !== 1) return [{ path: 'to', message: 'in a direct channel a message is for one participant; name it' }];
  if (kind === 'multicast' && named === 0)
    return [{ path: 'to', message: 'in a multicast channel a message is for those that it names; name them' }];
  if ((kind === 'broadcast' || kind === 'topic') && named > 0)
    return [{ path: 'to', message: `in a ${kind} channel a message is for everybody; leave it out, or give an audience` }];
  return (to ?? []).flatMap((name, index) =>
    may({ kind, ...channel }, name, 'receive') ? [] : [{ path: `to[${index}]`, message: `${name} may not receive from this channel` }],
  );
}

/** Whether a message is for somebody. Rights are another matter. */
export function reaches({ to, audience }: Message, { name, skills }: Pick<Subscription, 'name' | 'skills'>): boolean {
  if (to !== undefined && !to.includes(name)) return false;
  return audience === undefined || holds(audience, { subscriber: { name, skills } });
}

/** Whether somebody who gets a message wants it. */
export function isWanted(message: Message, { types, where }: Pick<Subscription, 'types' | 'where'>): boolean {
  if (types !== undefined && !types.some((pattern) => matchesType(pattern, message.type))) return false;
  return where === undefined || holds(where, { message: message as unknown as Json });
}

/** Whether a message holds what the channel asks for; a message without the field that is asked for does not. */
export function passesCheck({ check }: Channel, message: Message): boolean {
  return check === undefined || holds(check, { message: message as unknown as Json });
}

/** Whether a type fits a pattern: `*` is any one word, `>` all that follows, at least one. */
export function matchesType(pattern: string, type: string): boolean {
  const words = type.split('.');
  const wanted = pattern.split('.');
  const fits = wanted.every((word, index) => {
    const found = words[index];
    return found !== undefined && (word === '*' || word === '>' || word === found);
  });
  return fits && (words.length === wanted.length || wanted.at(-1) === '>');
}

/** @returns a fault with that path, or none */
export function expressionFaults(path: string, expression: string | undefined): ChannelFault[] {
  if (expression === undefined) return [];
  const checked = checkExpression(expression, 'condition');
  if (checked.ok) return [];
  const { message, position } = checked.fault;
  return [{ path, message: `${message} (in ${JSON.stringify(expression)}${position === undefined ? '' : `, character ${position + 1}`})` }];
}

/** What cannot be evaluated, as where a field is missing, does not hold. */
function holds(expression: string, input: { message?: Json; subscriber?: Json }): boolean {
  const outcome = evaluateCondition(expression, () => ({ goal: '', results: {}, ...input }));
  return outcome.ok && outcome.value;
}
