/** The documentation writer: docs/API.md from what the sources export, with examples that run on the actual columns. */
import type { AgentReply, ApiExport, ToolResult } from '@cadre/contracts';
import type { z } from 'zod';
import { describeColumn } from '../codegen/columns.js';
import { exampleOf, firstExample } from '../codegen/examples.js';
import { isPerson, registerPath, resourceIn, type Resource } from '../codegen/resource-code.js';
import type { Brief } from '../conversation.js';
import type { GeneratedFile } from '../codegen/report-code.js';
import { together, type Outcome, type Script, type ToolDesk } from '../script/script.js';
import { openWorkspace, type Dataset } from './dataset.js';
import { codePaths, isReportCode, readSources } from './sources.js';
import { blocks, code, count, HONESTY, table } from '../text/words.js';

type Export = z.infer<typeof ApiExport>;
type Modules = ToolResult<'describe_api'>['modules'];

const PATH = 'docs/API.md';

interface Material {
  modules: Modules;
  tests: string[];
  /** Set where the sources are report code of ours. */
  dataset: Dataset | undefined;
  resource: Resource | undefined;
  hasMain: boolean;
}

export function* documentationWriter(brief: Brief, desk: ToolDesk): Script<AgentReply> {
  const { files, dataset, more } = yield* openWorkspace(brief, desk, (all) => readApi(codePaths(all).sources, desk));
  const { sources: paths, tests } = codePaths(files);
  const missing = [brief.task.title];
  if (more === undefined) return yield* withoutCode(dataset, desk, missing);
  const [described, sources] = more;
  if (!described.ok) return { answer: blocks(`No documentation was written: ${described.error}`, HONESTY), confidence: 0.1, missing };
  const material: Material = {
    modules: described.value.modules.filter((module) => module.exports.length > 0),
    tests,
    dataset: isReportCode(sources) ? dataset : undefined,
    resource: resourceIn(sources),
    hasMain: paths.includes('src/main.ts'),
  };
  return yield* write(
    apiMarkdown(material),
    `It describes ${count(material.modules.flatMap((module) => module.exports).length, 'export')} of ${count(material.modules.length, 'module')}${material.dataset === undefined ? '' : ', with examples for the actual columns, and the columns themselves'}.`,
    desk,
    missing,
  );
}

function* readApi(
  paths: readonly string[],
  desk: ToolDesk,
): Script<readonly [Outcome<ToolResult<'describe_api'>>, GeneratedFile[]] | undefined> {
  if (paths.length === 0) return undefined;
  return yield* together(desk.call('describe_api', { files: [...paths] }), readSources(paths, desk, 'head'));
}

/** Data without code still has columns to describe. */
function* withoutCode(dataset: Dataset | undefined, desk: ToolDesk, missing: string[]): Script<AgentReply> {
  if (dataset === undefined)
    return {
      answer: blocks('No documentation was written: there is neither code in src/ nor a profile of data.', HONESTY),
      confidence: 0.1,
      missing,
    };
  return yield* write(
    `${blocks('# Data', dictionary(dataset), HONESTY)}\n`,
    'There is no code in src/, so it describes the columns of the data.',
    desk,
    missing,
  );
}

function* write(text: string, about: string, desk: ToolDesk, missing: string[]): Script<AgentReply> {
  const written = yield* desk.call('write_file', { path: PATH, text });
  if (!written.ok) return { answer: blocks(`The documentation could not be written: ${written.error}`, HONESTY), confidence: 0.1, missing };
  return { answer: blocks(about, `Written: ${code(PATH)}.`, HONESTY), confidence: 0.85 };
}

function apiMarkdown({ modules, tests, dataset, resource, hasMain }: Material): string {
  const about =
    dataset !== undefined
      ? `Report code for ${code(dataset.shape.profile.file)}.`
      : resource !== undefined
        ? `A REST interface of ${code(resource.plural)}.`
        : 'What the modules of this folder export.';
  return `${blocks(
    '# API',
    `${about} Plain TypeScript that Node 24 runs as it is; no packages are needed.`,
    dataset === undefined ? '' : `## Example\n\n${fence(firstExample(dataset))}\n\nThe examples below go on with its \`rows\`.`,
    hasMain ? commandLine(dataset, resource) : '',
    resource === undefined ? '' : routes(resource),
    ...modules.map((module) => moduleSection(module, dataset)),
    testsSection(tests, dataset),
    dataset === undefined ? '' : dictionary(dataset),
    `---\n\nSignatures and descriptions come from the sources. ${HONESTY}`,
  )}\n`;
}

const fence = (text: string, language = 'ts'): string => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;

function loginLine(resource: Resource): string {
  const { plural } = resource;
  const send = (path: string): string => `curl http://127.0.0.1:3000${path} -d '{"name": "ann", "password": "correct horse"}'`;
  const use = [
    `${send(registerPath(resource))}   # registers`,
    `${send('/login')}   # gives a token`,
    `curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:3000/${plural}`,
  ];
  return `## Command line\n\n${fence('node src/main.ts', 'sh')}\n\nThen, for example:\n\n${fence(use.join('\n'), 'sh')}`;
}

function commandLine(dataset: Dataset | undefined, resource: Resource | undefined): string {
  if (dataset === undefined) {
    if (resource?.auth === 'login') return loginLine(resource);
    const isGuarded = resource?.auth === 'token';
    const header = isGuarded ? ` -H 'Authorization: Bearer secret'` : '';
    const use = resource === undefined ? '' : ` Then, for example: \`curl${header} http://127.0.0.1:3000/${resource.plural}\`.`;
    return `## Command line\n\n${fence(`${isGuarded ? 'API_TOKENS=secret ' : ''}node src/main.ts`, 'sh')}${use === '' ? '' : `\n\n${use.trim()}`}`;
  }
  const { input, shape, missing } = dataset;
  const exported =
    shape.profile.format === 'parquet'
      ? `\n\nPlain Node.js cannot read Parquet, so the code reads a CSV copy${missing ? '. Export it first:' : '. To make it again:'}\n\n${fence(`duckdb -c "COPY (FROM '${shape.profile.file}') TO '${input}' (HEADER)"`, 'sh')}`
      : '';
  return `## Command line\n\n${fence(`node src/main.ts ${quoted(input)}            # prints the report\nnode src/main.ts ${quoted(input)} out.md     # writes it to a file`, 'sh')}${exported}`;
}

const quoted = (path: string): string => (/^[\w./-]+$/.test(path) ? path : `'${path}'`);

const AUTH_TEXT = {
  none: '',
  token: ' Every request needs the header `Authorization: Bearer <token>` with one of `API_TOKENS`; without it the answer is 401.',
  login:
    ' All but registering and logging in need the header `Authorization: Bearer <token>` with the token of a login; without it the answer is 401.',
};

function routes(resource: Resource): string {
  const { plural, singular, auth } = resource;
  const isOwn = auth === 'login' && isPerson(resource);
  const lines = [
    ['GET', `/${plural}`, '', `200: all ${plural}`],
    [
      'POST',
      `/${plural}`,
      isOwn ? '`{ "name": "…", "password": "…" }`' : '`{ "name": "…" }`',
      `201: the new ${singular}; 400${isOwn ? ', 409' : ''}`,
    ],
    ['GET', `/${plural}/{id}`, '', `200: the ${singular}; 404`],
    ['PATCH', `/${plural}/{id}`, 'fields to change', `200: the ${singular}; 400, 404`],
    ['DELETE', `/${plural}/{id}`, '', '204; 404'],
    ...(auth === 'login'
      ? [
          ...(isOwn ? [] : [['POST', '/register', '`{ "name": "…", "password": "…" }`', '201; 400, 409']]),
          ['POST', '/login', '`{ "name": "…", "password": "…" }`', '200: `{ "token": "…" }`; 401'],
          ['POST', '/logout', '', '204'],
        ]
      : []),
  ];
  return `## Routes\n\n${table(['Method', 'Path', 'Body', 'Answer'], lines)}\n\nErrors have the form \`{ "error": "…" }\`.${AUTH_TEXT[auth]}${isOwn ? ' Changing or removing another than oneself is 403.' : ''}`;
}

function moduleSection({ file, exports }: Modules[number], dataset: Dataset | undefined): string {
  const parts = exports.map((entry) => exportSection(entry, dataset));
  return blocks(`## ${code(file)}`, ...parts);
}

function exportSection({ name, kind, signature, doc }: Export, dataset: Dataset | undefined): string {
  const example = dataset === undefined ? undefined : exampleOf(name, dataset);
  return blocks(
    `### ${name}`,
    doc.trim() === '' ? `(${kind}; its source has no description.)` : docText(doc),
    signature.trim() === '' ? '' : fence(signature),
    example === undefined ? '' : `Example:\n\n${fence(example)}`,
  );
}

/** Tags of a doc comment as a list. */
function docText(doc: string): string {
  return doc
    .trim()
    .replace(/^\s*@param\s+(\w+)\s*-?\s*/gm, '- `$1`: ')
    .replace(/^\s*@returns?\s+/gm, '- Returns: ')
    .replace(/^\s*@throws\s+/gm, '- Throws: ')
    .replace(/([^\n])\n- /, '$1\n\n- ');
}

function testsSection(tests: readonly string[], dataset: Dataset | undefined): string {
  const path = tests[0] ?? (dataset === undefined ? 'test/*.test.ts' : 'test/report.test.ts');
  const more =
    dataset === undefined
      ? ''
      : `\n\nThe tests look for the file at ${code(dataset.input)}, then beside ${code('src/')}. Where it is missing, the tests that need it are skipped.`;
  return `## Tests\n\n${fence(`node --test ${path}`, 'sh')}${more}`;
}

function dictionary({ shape }: Dataset): string {
  const role = (name: string): string =>
    [
      name === shape.time?.name ? 'time' : '',
      shape.measures.includes(name) ? 'measure' : '',
      shape.dimensions.includes(name) ? 'dimension' : '',
    ]
      .filter(Boolean)
      .join(', ');
  const lines = shape.columns.map((column) => [code(column.name), describeColumn(column), role(column.name)]);
  return `## Data dictionary\n\n${code(shape.profile.file)}: ${count(shape.profile.rows, 'row')}, ${count(shape.profile.columns.length, 'column')}.\n\n${table(['Column', 'Content', 'Role'], lines)}`;
}
