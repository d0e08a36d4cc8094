/**
 * The profile of a very wide table does not fit into a tool result: the agent loop cuts it off and hands over its beginning. The columns
 * that are whole in there are still of use.
 */
import { ColumnProfile, DataProfile } from '@cadre/contracts';
import { z } from 'zod';
import { parseJson } from '../conversation.js';

/** `partial`: columns are missing. */
export type ReadProfile = DataProfile & { partial?: boolean };

const Cut = z.object({ truncated: z.literal(true), beginning: z.string() });
const Head = DataProfile.pick({ file: true, table: true, format: true, rows: true });

/** What a cut-off result of `profile_data` still tells; undefined if it is none, or tells nothing. */
export function profileOfCut(result: unknown): ReadProfile | undefined {
  const cut = Cut.safeParse(result);
  if (!cut.success) return undefined;
  const start = cut.data.beginning.indexOf(',"columns":[');
  const head = Head.safeParse(start < 0 ? undefined : parseJson(`${cut.data.beginning.slice(0, start)}}`));
  if (!head.success) return undefined;
  const columns = wholeObjects(cut.data.beginning.slice(start + ',"columns":['.length)).flatMap((text) => {
    const column = ColumnProfile.safeParse(parseJson(text));
    return column.success ? [column.data] : [];
  });
  return columns.length === 0 ? undefined : { ...head.data, columns, suggested: suggestedOf(columns, head.data.rows), partial: true };
}

/** The complete objects at the start of a list's text. */
function wholeObjects(text: string): string[] {
  const objects: string[] = [];
  let [depth, start, quoted] = [0, 0, false];
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (quoted) {
      if (char === '\\') at += 1;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '{') {
      if (depth === 0) start = at;
      depth += 1;
    } else if (char === '}') {
      depth -= 1;
      if (depth === 0) objects.push(text.slice(start, at + 1));
    }
  }
  return objects;
}

function suggestedOf(columns: readonly ColumnProfile[], rows: number): DataProfile['suggested'] {
  const time = columns.find(({ type, distinct }) => (type === 'date' || type === 'timestamp') && distinct > 1)?.name;
  const numbers = columns.filter(
    ({ type, name, distinct }) => (type === 'integer' || type === 'number') && distinct > 2 && !/(^|[^a-z])id$/i.test(name),
  );
  const groups = columns.filter(
    ({ type, distinct }) => (type === 'text' || type === 'boolean') && distinct > 1 && distinct <= 50 && distinct <= rows / 2,
  );
  return {
    ...(time !== undefined && { time }),
    measures: numbers.map(({ name }) => name).slice(0, 12),
    dimensions: groups.map(({ name }) => name).slice(0, 6),
  };
}
