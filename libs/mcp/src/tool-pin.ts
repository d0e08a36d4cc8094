/**
 * What was approved of a tool: its name, its description and the schema of its arguments, and the digest of the three. Models are told what
 * was approved, never what the server says now; when the two differ the tool is withheld until somebody approves it anew.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { canonicalJson } from '@cadre/agents';
import { AnyToolName, CadreError, Json, TOOL_NAMES } from '@cadre/contracts';
import { z } from 'zod';

/** A tool as its server tells it. */
export interface ToldTool {
  name: string;
  description: string;
  inputSchema: { [key: string]: Json };
}

const LIMITS = { descriptionBytes: 8 * 1024, schemaBytes: 64 * 1024 } as const;
const NAME_LENGTH = 64;

export const ToolPin = z.strictObject({
  /** How agents call it. */
  as: AnyToolName,
  hash: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  description: z.string(),
  inputSchema: z.record(z.string(), Json),
});
export type ToolPin = z.infer<typeof ToolPin>;

/** By server, and there by the server's own name of the tool. */
const PinFile = z.strictObject({ version: z.literal(1), servers: z.record(z.string(), z.record(z.string(), ToolPin)) });
export type Pins = z.infer<typeof PinFile>['servers'];

export function hashOf({ name, description, inputSchema }: ToldTool): string {
  return `sha256:${digest(canonicalJson([name, description, inputSchema]))}`;
}

/** Why a tool cannot be approved at all; undefined: it can. */
export function whyNotPinned({ description, inputSchema }: ToldTool): string | undefined {
  const [text, schema] = [Buffer.byteLength(description), Buffer.byteLength(JSON.stringify(inputSchema))];
  if (text > LIMITS.descriptionBytes) return `its description has ${text} bytes; ${LIMITS.descriptionBytes} are allowed`;
  if (schema > LIMITS.schemaBytes) return `the schema of its arguments has ${schema} bytes; ${LIMITS.schemaBytes} are allowed`;
  return undefined;
}

/** The pins with this tool as it is now. A tool that was approved before keeps its name. */
export function withPin(pins: Pins, server: string, tool: ToldTool): Pins {
  const known = pins[server] ?? {};
  const as = known[tool.name]?.as ?? freeName(server, tool.name, namesOf(pins));
  const { description, inputSchema } = tool;
  return { ...pins, [server]: { ...known, [tool.name]: { as, hash: hashOf(tool), description, inputSchema } } };
}

/**
 * `<server>_<tool>` in the characters that tool names may have. Where that is too long, or is taken, the last characters are a digest of
 * the server's own name, so that the same tool has the same name wherever it is approved.
 */
export function freeName(server: string, tool: string, taken: ReadonlySet<string>): string {
  const words = tool
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  const plain = `${server}_${words}`;
  if (words !== '' && plain.length <= NAME_LENGTH && !taken.has(plain)) return plain;
  const mark = digest(`${server} ${tool}`).slice(0, 8);
  return `${plain.slice(0, NAME_LENGTH - mark.length - 1).replace(/_+$/, '')}_${mark}`;
}

/** Errors: `mcp-pins-invalid`. A file that is not there holds nothing. */
export function readPins(file: string): Pins {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw invalid(file, (cause as Error).message, cause);
  }
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (cause) {
    throw invalid(file, (cause as Error).message, cause);
  }
  const parsed = PinFile.safeParse(found);
  if (!parsed.success) throw invalid(file, z.prettifyError(parsed.error), parsed.error);
  const faults = pinFaults(parsed.data.servers);
  if (faults.length > 0) throw invalid(file, faults.join(' '));
  return parsed.data.servers;
}

/** Written beside and moved, so that no worker reads half of it. */
export function writePins(file: string, servers: Pins): void {
  mkdirSync(dirname(file), { recursive: true });
  const content: z.infer<typeof PinFile> = { version: 1, servers };
  writeFileSync(`${file}.new`, `${JSON.stringify(content, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

function pinFaults(pins: Pins): string[] {
  const seen = new Map<string, string>();
  return Object.entries(pins).flatMap(([server, tools]) =>
    Object.entries(tools).flatMap(([name, pin]) => {
      const place = `${server}.${name}`;
      const other = seen.get(pin.as);
      seen.set(pin.as, place);
      return [
        ...(hashOf({ name, ...pin }) === pin.hash ? [] : [`${place}: what is written there is not what its hash says.`]),
        ...(other === undefined ? [] : [`${place}: ${other} is called ${pin.as}, too.`]),
      ];
    }),
  );
}

function namesOf(pins: Pins): Set<string> {
  return new Set<string>([...TOOL_NAMES, ...Object.values(pins).flatMap((tools) => Object.values(tools).map(({ as }) => as))]);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function invalid(file: string, why: string, cause?: unknown): CadreError {
  const remedy = 'Approve the tools anew with `cadre mcp approve SERVER`, after removing the file if need be.';
  return new CadreError('mcp-pins-invalid', `${file} does not say which tools are approved. ${why}`, { remedy, cause });
}
