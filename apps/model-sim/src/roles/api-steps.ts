/** Requirements and design of a REST interface of a named resource: what the code writer's generator will make, told before it is made. */
import type { AgentReply } from '@cadre/contracts';
import { isPerson, registerPath, resourceOf, type Resource } from '../codegen/resource-code.js';
import type { Brief } from '../conversation.js';
import type { Script, ToolDesk } from '../script/script.js';
import { blocks, code, HONESTY } from '../text/words.js';

export interface ApiStep {
  path: string;
  text: string;
}

/** @returns undefined where the task is no such step, or the goal names no resource */
export function apiStep({ goal, task }: Brief): ApiStep | undefined {
  if (task.id !== 'requirements' && task.id !== 'design') return undefined;
  const resource = resourceOf(goal);
  if (resource === undefined) return undefined;
  const text = task.id === 'requirements' ? requirements(resource) : design(resource);
  return { path: `docs/${task.id}.md`, text: `${text}\n\n${HONESTY}\n` };
}

export function* writeStep({ path, text }: ApiStep, desk: ToolDesk, title: string): Script<AgentReply> {
  const written = yield* desk.call('write_file', { path, text });
  if (!written.ok) return { answer: blocks(`It could not be written: ${written.error}`, HONESTY), confidence: 0.1, missing: [title] };
  return {
    answer: blocks(
      text
        .replace(/^# .*\n+/, '')
        .replace(HONESTY, '')
        .trim(),
      `Written: ${code(path)}.`,
      HONESTY,
    ),
    confidence: 0.7,
  };
}

function loginRequirements(resource: Resource): string[] {
  return [
    `\`POST ${registerPath(resource)}\` registers ${isPerson(resource) ? `a ${resource.singular}` : 'who may use the interface'}: a name and a password of at least 8 characters; a name that is taken is 409. Passwords are kept as salted scrypt hashes and never shown.`,
    '`POST /login` with name and password gives a token for an hour, or 401; `POST /logout` ends it.',
    'All other requests bear a token (`Authorization: Bearer …`); without one the answer is 401 and nothing is done.',
    ...(isPerson(resource)
      ? [`A ${resource.singular} changes and removes only itself (else 403); a new password ends all its logins.`]
      : []),
  ];
}

function requirements(resource: Resource): string {
  const { singular, plural, auth } = resource;
  const lines = [
    `\`GET /${plural}\` lists all ${plural}; \`GET /${plural}/{id}\` gives one, or 404.`,
    `\`POST /${plural}\` makes a ${singular} with a name of at least one character and answers 201; anything else is 400.`,
    `\`PATCH /${plural}/{id}\` changes the given fields and never the id; \`DELETE\` removes the ${singular} and answers 204; 404 where there is none.`,
    'Bodies are JSON of at most 100,000 bytes; other methods are 405, other paths 404.',
    ...(auth === 'token'
      ? ['Every request bears a token that is allowed (`Authorization: Bearer …`); without one the answer is 401 and nothing is done.']
      : []),
    ...(auth === 'login' ? loginRequirements(resource) : []),
  ];
  const assumed = `Assumed, because the goal does not say: ${plural} are kept in memory, have a name, and may have any further fields.`;
  return `# Requirements\n\n${lines.map((line) => `- ${line}`).join('\n')}\n\n${assumed}`;
}

function design({ singular, plural, auth }: Resource): string {
  const lines = [
    `\`src/store.ts\`: ${plural} in memory, ids in order, and the check of what comes in.`,
    `\`src/routes.ts\`: \`answer(store, method, path, body)\`, what each request is answered, without HTTP itself.`,
    ...(auth === 'token'
      ? ['`src/auth.ts`: `guarded(header, tokens, respond)`, which lets only requests with an allowed token through.']
      : []),
    ...(auth === 'login'
      ? ['`src/auth.ts`: `Access`, which registers, logs in and out, and lets only requests with a token of a login through.']
      : []),
    `\`src/server.ts\`: the HTTP server, which reads bodies and sends answers; \`src/main.ts\` starts it.`,
  ];
  return `# Design\n\n${lines.map((line) => `- ${line}`).join('\n')}\n\nErrors in a ${singular} that comes in are \`InputError\` and become 400; all else becomes 500.`;
}
