/** The parts of a Markdown text that can be checked. Line numbers count from 1. */
export interface MarkdownParts {
  blocks: { language: string; line: number; text: string }[];
  /** Code in the running text, without its backticks. */
  spans: { text: string; line: number }[];
  links: { target: string; line: number }[];
  /** Anchors that links may name, as GitHub makes them. */
  anchors: string[];
}

/** @param text Markdown with fenced code blocks (indented ones are not seen) */
export function readMarkdown(text: string): MarkdownParts {
  const parts: MarkdownParts = { blocks: [], spans: [], links: [], anchors: [] };
  let fence: { mark: string; language: string; line: number; lines: string[] } | undefined;
  for (const [index, row] of text.split('\n').entries()) {
    const line = index + 1;
    const mark = /^\s*(`{3,}|~{3,})\s*(\S*)/.exec(row);
    if (fence !== undefined) {
      if (mark?.[1] !== undefined && mark[1].startsWith(fence.mark) && mark[2] === '') {
        parts.blocks.push({ language: fence.language, line: fence.line, text: fence.lines.join('\n') });
        fence = undefined;
      } else fence.lines.push(row);
    } else if (mark !== null) fence = { mark: mark[1]!, language: mark[2]!.toLowerCase(), line: line + 1, lines: [] };
    else readRow(row, line, parts);
  }
  return parts;
}

function readRow(row: string, line: number, parts: MarkdownParts): void {
  const prose = row.replace(/(`+)(.+?)\1/g, (whole, _ticks: string, code: string) => {
    parts.spans.push({ text: code.replaceAll('\\|', '|').trim(), line });
    return '_'.repeat(whole.length);
  });
  for (const [, target] of prose.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g)) parts.links.push({ target: target!, line });
  const definition = /^\s*\[[^\]]+\]:\s*(\S+)/.exec(prose);
  if (definition !== null) parts.links.push({ target: definition[1]!, line });
  const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(row);
  if (heading !== null) parts.anchors.push(anchorOf(heading[1]!));
}

const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
