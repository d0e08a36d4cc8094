/** `check_types`: what the compiler says about files of the workspace. */
import { dirname } from 'node:path';
import ts from 'typescript';
import type { ToolResult } from '@cadre/contracts';
import { openProgram } from './program.js';
import type { WorkspaceProgram } from './program.js';

type TypeDiagnostic = ToolResult<'check_types'>['diagnostics'][number];

/** More would not help anyone; the first ones are often the cause of the others. */
const MOST_DIAGNOSTICS = 100;
const MESSAGE_CHARACTERS = 600;

/** The diagnostics of the files and of what they import. @param files workspace paths */
export function checkTypes(root: string, files: string[]): ToolResult<'check_types'> {
  const diagnostics = diagnosticsOf(openProgram(root, files), root);
  return { ok: diagnostics.length === 0, diagnostics: diagnostics.slice(0, MOST_DIAGNOSTICS) };
}

/** All errors of a program, by file and line. */
export function diagnosticsOf({ program, files, pathOf }: WorkspaceProgram, root: string): TypeDiagnostic[] {
  const all = [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...files.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
  ];
  return all
    .filter((diagnostic) => diagnostic.category === ts.DiagnosticCategory.Error)
    .map((diagnostic) => ({
      file: diagnostic.file ? pathOf(diagnostic.file) : '',
      line: diagnostic.file ? diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line + 1 : 0,
      code: `TS${diagnostic.code}`,
      message: ts
        .flattenDiagnosticMessageText(diagnostic.messageText, '\n')
        .replaceAll(`${root}/`, '')
        .replaceAll(`${dirname(root)}/`, '')
        .slice(0, MESSAGE_CHARACTERS),
    }))
    .sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
}
