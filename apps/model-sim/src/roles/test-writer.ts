/** The test writer: tests that suit the sources it finds, run at once, and their result told as it is. */
import type { AgentReply, ToolResult } from '@cadre/contracts';
import type { GeneratedFile } from '../codegen/report-code.js';
import { reportTests } from '../codegen/report-tests.js';
import { resourceIn, resourceTests } from '../codegen/resource-code.js';
import { smokeTests } from '../codegen/smoke-tests.js';
import type { Brief } from '../conversation.js';
import type { Outcome, Script, ToolDesk } from '../script/script.js';
import { comparable, openWorkspace, type Dataset } from './dataset.js';
import { codePaths, exportedNames, isReportCode, readSources } from './sources.js';
import { blocks, code, count, HONESTY, listing } from '../text/words.js';

export function* testWriter(brief: Brief, desk: ToolDesk): Script<AgentReply> {
  const { files, dataset, more: heads } = yield* openWorkspace(brief, desk, (all) => readSources(codePaths(all).sources, desk, 'head'));
  const paths = codePaths(files).sources;
  const chosen = chooseKnown(heads, dataset) ?? smoke(yield* readSources(paths, desk));
  if (chosen === undefined) {
    const why = paths.length === 0 ? 'there is no code in src/ to test' : 'the code in src/ could not be read, or exports nothing';
    return { answer: blocks(`No tests were written: ${why}.`, HONESTY), confidence: 0.1, missing: [brief.task.title] };
  }
  const written = yield* desk.call('write_file', { path: chosen.file.path, text: chosen.file.text });
  const missing = [brief.task.title];
  if (!written.ok) return { answer: blocks(`The tests could not be written: ${written.error}`, HONESTY), confidence: 0.1, missing };
  const ran = yield* desk.call('run_tests', { files: [chosen.file.path] });
  const answer = blocks(resultText(ran), chosen.about, `Written: ${code(chosen.file.path)}.`, HONESTY);
  const passed = ran.ok && ran.value.ok && ran.value.passed > 0;
  return { answer, confidence: confidenceOf(ran), ...(!passed && { missing }) };
}

interface Chosen {
  file: GeneratedFile;
  about: string;
}

/** Tests of what our generators write. */
function chooseKnown(sources: readonly GeneratedFile[], dataset: Dataset | undefined): Chosen | undefined {
  if (dataset !== undefined && isReportCode(sources)) {
    const { shape, input, trends, anomalies, missing } = dataset;
    const file = reportTests(shape, input, { trends, anomalies, comparableTrends: comparable(dataset) });
    return { file, about: aboutReport(dataset, missing) };
  }
  const resource = resourceIn(sources);
  if (resource === undefined) return undefined;
  const about = `The tests cover the store, the checks of what comes in, and every answer of the interface of ${code(resource.plural)}.`;
  return { file: resourceTests(resource), about };
}

function smoke(sources: readonly GeneratedFile[]): Chosen | undefined {
  const modules = sources
    .filter(({ path }) => path !== 'src/main.ts')
    .map(({ path, text }) => ({ path, names: exportedNames(text) }))
    .filter(({ names }) => names.length > 0);
  if (modules.length === 0) return undefined;
  return {
    file: smokeTests(modules),
    about:
      'The code was not made by a generator known here. Without a language model its purpose cannot be judged, so the tests only check that each module loads and exports what it says.',
  };
}

function aboutReport({ shape, input, trends, anomalies }: Dataset, missing: boolean): string {
  const compared = [
    `${shape.profile.rows} rows`,
    'the blanks',
    ...(shape.measures.length > 0
      ? [`smallest, largest, mean, median and standard deviation of ${count(shape.measures.length, 'measure')}`]
      : []),
    ...(trends.length > 0 ? [count(trends.length, 'trend')] : []),
    ...(anomalies.length > 0 ? [`the unusual values of ${count(anomalies.length, 'measure')}`] : []),
  ];
  const real = missing
    ? `The tests with the real file are skipped, because ${code(input)} is not there.`
    : `The code runs on ${code(input)} itself and must give the figures that DuckDB found, within a millionth: ${listing(compared)}.`;
  return `The tests cover edge cases of the parser and small rows whose figures are plain to see. ${real}`;
}

function resultText(ran: Outcome<ToolResult<'run_tests'>>): string {
  if (!ran.ok) return `**The tests were written, but not run**: ${ran.error}`;
  const { passed, failed, skipped, stopped, failures, output } = ran.value;
  const head = `**${passed} passed, ${failed} failed, ${skipped} skipped** (node --test)${stopped === undefined ? '' : `; stopped at the limit of ${stopped}`}.`;
  if (ran.value.ok) return head;
  const lines = failures.slice(0, 10).map(({ name, message }) => `- ${name}: ${message.replace(/\s+/g, ' ').slice(0, 300)}`);
  return blocks(
    head,
    lines.length > 0 ? lines.join('\n') : `Output: ${output.replace(/\s+/g, ' ').slice(-600)}`,
    'The cause was not looked for: that takes judgement.',
  );
}

function confidenceOf(ran: Outcome<ToolResult<'run_tests'>>): number {
  if (!ran.ok) return 0.1;
  return ran.value.ok && ran.value.passed > 0 ? 0.95 : 0.4;
}
