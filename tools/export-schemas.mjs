/**
 * Writes the JSON Schemas of all messages, and a page that lists them, to `docs/schemas`. What is no longer a message is removed.
 *
 * Usage: npm run schemas
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonSchemaIndex, jsonSchemas } from '@cadre/contracts';

const folder = join(import.meta.dirname, '../docs/schemas');
mkdirSync(folder, { recursive: true });

const documents = jsonSchemas();
const kept = new Set(['README.md', ...documents.map(({ file }) => file)]);
for (const file of readdirSync(folder)) if (!kept.has(file)) rmSync(join(folder, file));
for (const { file, schema } of documents) writeFileSync(join(folder, file), `${JSON.stringify(schema, null, 2)}\n`);
writeFileSync(join(folder, 'README.md'), jsonSchemaIndex(documents));

console.log(`${documents.length} schemas in docs/schemas`);
