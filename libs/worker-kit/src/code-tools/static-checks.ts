/** `static_checks`: type errors, unused code, and the rules, over files of the workspace. */
import ts from 'typescript';
import type { Finding, ToolResult } from '@cadre/contracts';
import { openProgram } from './program.js';
import type { WorkspaceProgram } from './program.js';
import { RULES, functionLines } from './rules.js';
import { diagnosticsOf } from './type-check.js';

type Metrics = ToolResult<'static_checks'>['metrics'][number];

const MOST_FINDINGS = 200;
const UNUSED = new Set(['TS6133', 'TS6138', 'TS6192', 'TS6196', 'TS6198', 'TS6199', 'TS6205']);
const ORDER = { error: 0, warning: 1, info: 2 } as const;

/** Findings from the most severe to the least, then by file and line. @param files workspace paths; what they import is not looked at */
export function staticChecks(root: string, files: string[]): ToolResult<'static_checks'> {
  const opened = openProgram(root, files, { noUnusedLocals: true, noUnusedParameters: true });
  const asked = opened.files.filter((file) => files.includes(opened.pathOf(file)));
  const findings = [
    ...compilerFindings(opened, root, files),
    ...asked.flatMap((file) => [...ruleFindings(opened, file), ...suppressions(opened, file), ...docFindings(opened, file)]),
  ];
  findings.sort((a, b) => ORDER[a.severity] - ORDER[b.severity] || (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line));
  return { findings: findings.slice(0, MOST_FINDINGS), metrics: asked.map((file) => metricsOf(file, opened.pathOf(file))) };
}

function compilerFindings(opened: WorkspaceProgram, root: string, files: string[]): Finding[] {
  return diagnosticsOf(opened, root)
    .filter(({ file }) => file === '' || files.includes(file))
    .map(({ file, line, code, message }) =>
      UNUSED.has(code)
        ? { file, line, rule: 'unused', severity: 'warning', message }
        : { file, line, rule: 'type-error', severity: 'error', message: `${code}: ${message}` },
    );
}

function ruleFindings({ checker, pathOf }: WorkspaceProgram, file: ts.SourceFile): Finding[] {
  const findings: Finding[] = [];
  const path = pathOf(file);
  const context = { checker, file, isTest: isTest(path) };
  const visit = (node: ts.Node): void => {
    for (const rule of RULES) {
      const message = rule.check(node, context);
      if (message !== undefined) findings.push({ file: path, line: lineOf(node, file), rule: rule.name, severity: rule.severity, message });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return findings;
}

/** Comments that turn the compiler's errors off. */
function suppressions({ pathOf }: WorkspaceProgram, file: ts.SourceFile): Finding[] {
  return file.text.split('\n').flatMap((text, index) => {
    const directive = /^\s*(?:\/\/|\/\*)\s*(@ts-(?:ignore|nocheck|expect-error))/.exec(text)?.[1];
    if (directive === undefined) return [];
    const message = `${directive} turns type errors off.`;
    return { file: pathOf(file), line: index + 1, rule: 'no-suppression', severity: 'warning' as const, message };
  });
}

/** What a module exports must say what it is for. */
function docFindings({ checker, pathOf }: WorkspaceProgram, file: ts.SourceFile): Finding[] {
  const symbol = checker.getSymbolAtLocation(file);
  if (!symbol || isTest(pathOf(file))) return [];
  return checker.getExportsOfModule(symbol).flatMap((exported) => {
    const declaration = exported.declarations?.find((one) => one.getSourceFile() === file);
    if (!declaration || ts.isExportSpecifier(declaration) || exported.getDocumentationComment(checker).length > 0) return [];
    const message = `${exported.name} is exported without a documentation comment.`;
    return { file: pathOf(file), line: lineOf(declaration, file), rule: 'missing-doc', severity: 'info' as const, message };
  });
}

function metricsOf(file: ts.SourceFile, path: string): Metrics {
  const lengths: number[] = [];
  const visit = (node: ts.Node): void => {
    const lines = functionLines(node, file);
    if (lines > 0) lengths.push(lines);
    ts.forEachChild(node, visit);
  };
  visit(file);
  const lines = file.text === '' ? 0 : file.text.replace(/\n$/, '').split('\n').length;
  return { file: path, lines, functions: lengths.length, longestFunction: Math.max(0, ...lengths) };
}

const lineOf = (node: ts.Node, file: ts.SourceFile): number => file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;

const isTest = (path: string): boolean => /(^|\/)tests?\//.test(path) || /\.(test|spec)\.[cm]?[jt]s$/.test(path);
