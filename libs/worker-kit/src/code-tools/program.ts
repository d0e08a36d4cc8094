/**
 * A TypeScript program over the files of a workspace. The compiler sees the workspace, its own library files and Node's types, and
 * nothing else of this machine: an import, a reference or a link that leads elsewhere is a file that does not exist.
 */
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import ts from 'typescript';

export interface WorkspaceProgram {
  program: ts.Program;
  checker: ts.TypeChecker;
  /** The program's files that lie in the workspace: those asked for and what they import. */
  files: ts.SourceFile[];
  /** The workspace path of a file. */
  pathOf(file: ts.SourceFile): string;
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2024,
  lib: ['lib.es2024.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  strict: true,
  erasableSyntaxOnly: true,
  verbatimModuleSyntax: true,
  allowImportingTsExtensions: true,
  resolveJsonModule: true,
  noEmit: true,
  skipLibCheck: true,
  types: ['node'],
};

/** @param root real path of the workspace @param files workspace paths @param further options besides the standard ones */
export function openProgram(root: string, files: string[], further: ts.CompilerOptions = {}): WorkspaceProgram {
  const packages = packagesFolder();
  const options = { ...OPTIONS, ...further, typeRoots: [join(packages, '@types')] };
  const program = ts.createProgram({
    rootNames: files.map((file) => join(root, file)),
    options,
    host: fencedHost(root, packages, options),
  });
  return {
    program,
    checker: program.getTypeChecker(),
    files: program.getSourceFiles().filter((file) => file.fileName.startsWith(root + sep)),
    pathOf: (file) => file.fileName.slice(root.length + 1),
  };
}

/** The `node_modules` folder that holds Node's types. */
function packagesFolder(): string {
  return dirname(dirname(dirname(createRequire(import.meta.url).resolve('@types/node/package.json'))));
}

function fencedHost(root: string, packages: string, options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const library = dirname(host.getDefaultLibFileName(options));
  const folders = [root, library, join(packages, '@types', 'node'), join(packages, 'undici-types')].map(realOf);
  const inside = (real: string): boolean => folders.some((folder) => real === folder || real.startsWith(folder + sep));
  // A path that is outside as it stands needs no look at the disk, and most of those asked for are.
  const within = (path: string): boolean => inside(path) && inside(realOf(path));
  const above = (path: string): boolean => folders.some((folder) => folder === path || folder.startsWith(path + sep));
  // Without it the workspace's files would count as CommonJS; Node itself looks at their syntax.
  const manifest = join(root, 'package.json');
  const isManifest = (path: string): boolean => path === manifest && !ts.sys.fileExists(path);
  return {
    ...host,
    getCurrentDirectory: () => root,
    fileExists: (path) => isManifest(path) || (ts.sys.fileExists(path) && within(path)),
    readFile: (path) => (isManifest(path) ? '{"type":"module"}' : within(path) ? ts.sys.readFile(path) : undefined),
    getSourceFile: (path, language) => {
      const text = within(path) ? ts.sys.readFile(path) : undefined;
      if (text === undefined) return undefined;
      if (path.startsWith(root + sep)) return ts.createSourceFile(path, text, language, true);
      // The comments of library files are not looked at; leaving them unread saves a good part of the time.
      const quick = typeof language === 'object' ? { ...language, jsDocParsingMode: ts.JSDocParsingMode.ParseNone } : language;
      return ts.createSourceFile(path, text, quick);
    },
    directoryExists: (path) => ts.sys.directoryExists(path) && (above(path) || within(path)),
    getDirectories: (path) => (within(path) ? ts.sys.getDirectories(path) : path === join(packages, '@types') ? ['node'] : []),
    realpath: (path) => realOf(path),
    writeFile: () => undefined,
  };
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
