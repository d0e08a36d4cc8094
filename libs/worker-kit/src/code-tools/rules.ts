/** The rules of `static_checks` that look at the syntax tree. Each says what it found wrong with one node, or nothing. */
import ts from 'typescript';
import type { Finding } from '@cadre/contracts';

export interface RuleContext {
  checker: ts.TypeChecker;
  file: ts.SourceFile;
  /** Test files may do what libraries should not. */
  isTest: boolean;
}

export interface Rule {
  name: string;
  severity: Finding['severity'];
  /** What is wrong with the node, in a sentence; undefined when nothing is. */
  check(node: ts.Node, context: RuleContext): string | undefined;
}

export const LONGEST_FUNCTION_LINES = 60;

const NETWORK = new Set(['net', 'http', 'https', 'http2', 'tls', 'dgram', 'dns', 'dns/promises', 'undici', 'ws', 'axios', 'node-fetch']);
const PROCESSES = new Set(['child_process', 'cluster', 'worker_threads']);

/** A name that the file did not declare itself: one of the language or of Node. */
function isGlobal(node: ts.Node, name: string, { checker, file }: RuleContext): boolean {
  if (ts.isPropertyAccessExpression(node)) {
    return node.name.text === name && ts.isIdentifier(node.expression) && /^(globalThis|global)$/.test(node.expression.text);
  }
  if (!ts.isIdentifier(node) || node.text !== name) return false;
  const declarations = checker.getSymbolAtLocation(node)?.declarations ?? [];
  return declarations.every((declaration) => declaration.getSourceFile() !== file);
}

/** The module that an import, export, `import()` or `require()` names. */
function importedModule(node: ts.Node): string | undefined {
  const specifier =
    ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
      ? node.moduleSpecifier
      : isModuleCall(node)
        ? node.arguments[0]
        : undefined;
  return specifier && ts.isStringLiteralLike(specifier) ? specifier.text.replace(/^node:/, '') : undefined;
}

function isModuleCall(node: ts.Node): node is ts.CallExpression {
  if (!ts.isCallExpression(node)) return false;
  const { expression } = node;
  if (expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === 'require')) return true;
  return ts.isPropertyAccessExpression(expression) && expression.name.text === 'getBuiltinModule';
}

const noEval: Rule = {
  name: 'no-eval',
  severity: 'error',
  check: (node, context) => {
    if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return undefined;
    if (isGlobal(node.expression, 'eval', context)) return 'eval runs any text as code.';
    if (isGlobal(node.expression, 'Function', context)) return 'Function runs any text as code.';
    const timer = ['setTimeout', 'setInterval'].some((name) => isGlobal(node.expression, name, context));
    const first = node.arguments?.[0];
    return timer && first && ts.isStringLiteralLike(first) ? 'A timer with a text runs it as code.' : undefined;
  },
};

const noProcesses: Rule = {
  name: 'no-child-process',
  severity: 'error',
  check: (node) => {
    const module = importedModule(node);
    return module !== undefined && PROCESSES.has(module) ? `${module} starts other processes or threads.` : undefined;
  },
};

const noNetwork: Rule = {
  name: 'no-network',
  severity: 'warning',
  check: (node, context) => {
    const module = importedModule(node);
    if (module !== undefined && NETWORK.has(module)) return `${module} reaches the network.`;
    const called = ts.isCallExpression(node) || ts.isNewExpression(node) ? node.expression : undefined;
    const name = called && ['fetch', 'WebSocket', 'EventSource'].find((one) => isGlobal(called, one, context));
    return name && `${name} reaches the network.`;
  },
};

const noDynamicImport: Rule = {
  name: 'no-dynamic-import',
  severity: 'warning',
  check: (node) => {
    if (!isModuleCall(node)) return undefined;
    return importedModule(node) === undefined
      ? 'The module to load is known only at run time.'
      : 'The module is loaded at run time; import it at the top.';
  },
};

const noEnvironment: Rule = {
  name: 'no-process-env',
  severity: 'warning',
  check: (node, context) =>
    ts.isPropertyAccessExpression(node) && node.name.text === 'env' && isGlobal(node.expression, 'process', context)
      ? 'process.env makes the result depend on the surroundings; take a parameter.'
      : undefined,
};

const noAny: Rule = {
  name: 'no-any',
  severity: 'warning',
  check: (node) => (node.kind === ts.SyntaxKind.AnyKeyword ? 'any turns type checking off; use unknown or a type.' : undefined),
};

const noNonNull: Rule = {
  name: 'no-non-null-assertion',
  severity: 'info',
  check: (node, { isTest }) =>
    ts.isNonNullExpression(node) && !isTest ? 'The ! claims that a value is there; check it, or say why it must be.' : undefined,
};

const emptyCatch: Rule = {
  name: 'empty-catch',
  severity: 'warning',
  check: (node, { file }) => {
    if (!ts.isCatchClause(node) || node.block.statements.length > 0) return undefined;
    const reason = file.text.slice(node.block.pos, node.block.end).replace(/[{}\s]/g, '');
    return reason === '' ? 'The error is dropped without a word.' : undefined;
  },
};

const noConsole: Rule = {
  name: 'no-console',
  severity: 'info',
  check: (node, context) =>
    !context.isTest && ts.isPropertyAccessExpression(node) && isGlobal(node.expression, 'console', context)
      ? 'A library should return what it has to say, not print it.'
      : undefined,
};

const looseEquality: Rule = {
  name: 'loose-equality',
  severity: 'warning',
  check: (node) => {
    if (!ts.isBinaryExpression(node)) return undefined;
    const { kind } = node.operatorToken;
    if (kind !== ts.SyntaxKind.EqualsEqualsToken && kind !== ts.SyntaxKind.ExclamationEqualsToken) return undefined;
    // `== null` means null or undefined, and has no shorter form.
    if ([node.left, node.right].some((side) => side.kind === ts.SyntaxKind.NullKeyword)) return undefined;
    return `${node.operatorToken.getText()} converts its sides; use ${node.operatorToken.getText()}=.`;
  },
};

const longFunction: Rule = {
  name: 'long-function',
  severity: 'warning',
  check: (node, context) => {
    const lines = functionLines(node, context.file);
    // The body of a describe block is a list of tests, not a function to be understood as one.
    return lines > LONGEST_FUNCTION_LINES && !context.isTest
      ? `The function has ${lines} lines; more than ${LONGEST_FUNCTION_LINES} are hard to follow.`
      : undefined;
  },
};

/** The lines of a function with a body; 0 for other nodes. */
export function functionLines(node: ts.Node, file: ts.SourceFile): number {
  if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) return 0;
  const line = (position: number): number => file.getLineAndCharacterOfPosition(position).line;
  return line(node.getEnd()) - line(node.getStart(file)) + 1;
}

export const RULES: Rule[] = [
  noEval,
  noProcesses,
  noNetwork,
  noDynamicImport,
  noEnvironment,
  noAny,
  noNonNull,
  emptyCatch,
  noConsole,
  looseEquality,
  longFunction,
];
