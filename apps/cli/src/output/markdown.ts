/** Markdown as a terminal can show it: headings, lists, code, bold and tables; all else stays as it is written. */
import type { painter } from '../terminal.js';

type Paint = ReturnType<typeof painter>;

export function renderMarkdown(text: string, paint: Paint): string {
  const out: string[] = [];
  let inCode = false;
  let rows: string[] = [];
  const flush = (): void => {
    out.push(...renderTable(rows, paint));
    rows = [];
  };
  for (const line of safe(text).split('\n')) {
    if (/^\s*(```|~~~)/.test(line)) {
      flush();
      inCode = !inCode;
    } else if (inCode) out.push(`    ${paint('cyan', line)}`);
    else if (/^\s*\|.*\|\s*$/.test(line)) rows.push(line.trim());
    else {
      flush();
      out.push(renderLine(line, paint));
    }
  }
  flush();
  return out.join('\n');
}

/** An answer comes from a model: it may not steer the terminal. */
export function safe(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
}

function renderLine(line: string, paint: Paint): string {
  const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
  if (heading !== null) return paint(heading[1]!.length === 1 ? ['bold', 'underline'] : 'bold', inline(heading[2]!, paint, true));
  const item = /^(\s*)[-*+]\s+(.*)$/.exec(line);
  if (item !== null) return `${item[1]}  • ${inline(item[2]!, paint)}`;
  const quote = /^>\s?(.*)$/.exec(line);
  if (quote !== null) return paint('dim', `  │ ${inline(quote[1]!, paint)}`);
  return inline(line, paint);
}

function inline(text: string, paint: Paint, inBold = false): string {
  return text
    .replace(/!\[([^\]]*)\]\(([^)\s]+)\)/g, '$1 ($2)')
    .replace(/(?<!!)\[([^\]]+)\]\(([^)\s]+)\)/g, (_, label: string, url: string) => (label === url ? url : `${label} (${url})`))
    .replace(/`([^`]+)`/g, (_, code: string) => paint('cyan', code))
    .replace(/\*\*([^*]+)\*\*/g, (_, bold: string) => (inBold ? bold : paint('bold', bold)));
}

function renderTable(lines: string[], paint: Paint): string[] {
  const rows = lines.map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) =>
        cell
          .trim()
          .replace(/\\\|/g, '|')
          .replace(/\*\*|`/g, ''),
      ),
  );
  const body = rows.filter((row) => !row.every((cell) => /^:?-+:?$/.test(cell)));
  const hasHeader = body.length < rows.length;
  const widths = (body[0] ?? []).map((_, column) => Math.max(...body.map((row) => (row[column] ?? '').length)));
  return body.map((row, index) => {
    const cells = widths.map((width, column) => {
      const cell = row[column] ?? '';
      return index > 0 && /^[-+$€]?[\d.,]+ ?%?$/.test(cell) ? cell.padStart(width) : cell.padEnd(width);
    });
    const line = `  ${cells.join('  ')}`.trimEnd();
    return hasHeader && index === 0 ? paint('bold', line) : line;
  });
}
