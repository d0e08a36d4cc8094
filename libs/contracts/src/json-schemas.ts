/**
 * The messages as JSON Schema (draft 2020-12), for those who talk to Cadre in another language. Each document stands by itself: what it
 * shares with others is in its `$defs`, under the name that the sources use.
 */
import { z } from 'zod';
import { CATALOGUE, type CatalogueEntry, PARTS } from './catalogue.js';
import { ModelLimits } from './governor.js';
import { Budget, Goal, MAX_GOAL_BYTES } from './plan.js';
import { ResultSchema, shapeOfResultSchemas } from './result-schema.js';
import { Json, Micros, Timestamp } from './values.js';

export interface JsonSchemaDocument {
  name: string;
  group: string;
  description: string;
  /** File name, kebab-case, for example `start-run.json`. */
  file: string;
  schema: Record<string, unknown>;
}

/** Names of schemas by their objects, but for one that is being exported: the root of a document is not a reference. */
function namesBut(root: z.ZodType): z.core.$ZodRegistry<{ id: string }> {
  const names = z.registry<{ id: string }>();
  for (const { name, schema } of CATALOGUE) if (schema !== root && !names.has(schema)) names.add(schema, { id: name });
  for (const [name, schema] of Object.entries(PARTS)) if (schema !== root && !names.has(schema)) names.add(schema, { id: name });
  return names;
}

/** What the schemas say beyond their shape, as far as JSON Schema can say it. */
function addWhatShapesCannotSay(schema: z.core.$ZodType, json: z.core.JSONSchema.BaseSchema): void {
  if (schema === Goal) {
    Object.assign(json, { pattern: '\\S', maxLength: MAX_GOAL_BYTES });
    json.description = `Not blank; at most ${MAX_GOAL_BYTES} bytes of UTF-8.`;
  }
  if (schema === Budget) {
    Object.assign(json, {
      if: { properties: { onLimit: { const: 'degrade' } }, required: ['onLimit'] },
      then: { required: ['degradeTo'] },
    });
  }
  if (schema === ModelLimits) json.minProperties = 1;
  if (schema === Json) {
    const itself = { $ref: '#/$defs/Json' };
    json.anyOf = [
      ...(['string', 'number', 'boolean', 'null'] as const).map((type) => ({ type })),
      { type: 'array', items: itself },
      { type: 'object', propertyNames: { type: 'string' }, additionalProperties: itself },
    ];
  }
  if (schema === ResultSchema) {
    for (const key of Object.keys(json)) delete (json as Record<string, unknown>)[key];
    Object.assign(json, shapeOfResultSchemas());
  }
  if (schema === Micros) json.description = 'Millionths of a US dollar.';
  if (schema === Timestamp) json.description = 'Milliseconds since 1970 UTC.';
}

const fileOf = (name: string): string => `${name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase()}.json`;

function documentOf({ name, group, description, direction, schema }: CatalogueEntry): JsonSchemaDocument {
  const { $schema, ...shape } = z.toJSONSchema(schema, {
    metadata: namesBut(schema),
    io: direction === 'received' ? 'input' : 'output',
    override: ({ zodSchema, jsonSchema }) => addWhatShapesCannotSay(zodSchema, jsonSchema),
  });
  return {
    name,
    group,
    description,
    file: fileOf(name),
    schema: { $schema, $id: `urn:cadre:schema:${name}`, title: name, description, ...shape },
  };
}

/** Every message as a JSON Schema document, in the catalogue's order. */
export function jsonSchemas(): JsonSchemaDocument[] {
  return CATALOGUE.map(documentOf);
}

/** A page that lists the documents. @returns Markdown */
export function jsonSchemaIndex(documents: readonly JsonSchemaDocument[]): string {
  const groups = [...new Set(documents.map(({ group }) => group))];
  const sections = groups.map((group) => {
    const rows = documents.filter((document) => document.group === group);
    return [`## ${group}`, '| message | what it is |', '| --- | --- |', ...rows.map(rowOf)].join('\n');
  });
  return `${INTRODUCTION}\n\n${sections.join('\n\n')}\n`;
}

const rowOf = ({ name, file, description }: JsonSchemaDocument): string => `| [${name}](${file}) | ${description} |`;

const INTRODUCTION = `# JSON Schemas

Every message of Cadre in JSON Schema (draft 2020-12), one file each. They are made from the zod schemas in \`libs/contracts/src\` by
\`npm run schemas\`; a test fails when they are stale, so change the zod schema and export again, never these files.

What Cadre receives is described as a sender may write it: a field with a \`default\` may be left out. What Cadre sends is described as it is
written, with all fields. Unknown fields are refused where a schema says \`additionalProperties: false\`.`;
