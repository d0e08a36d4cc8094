/** `describe_api`: what modules of the workspace export, as their users see it. */
import ts from 'typescript';
import type { ToolResult } from '@cadre/contracts';
import { openProgram } from './program.js';
import type { WorkspaceProgram } from './program.js';

type ApiModule = ToolResult<'describe_api'>['modules'][number];
type ApiExport = ApiModule['exports'][number];

const SIGNATURE_CHARACTERS = 1500;
const DOC_CHARACTERS = 3000;
const FORMAT =
  ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.WriteArrowStyleSignature | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope;

/** One entry per file asked for, exports in the order of their declaration. @param files workspace paths */
export function describeApi(root: string, files: string[]): ToolResult<'describe_api'> {
  const opened = openProgram(root, files);
  const asked = new Set(files);
  const modules = opened.files.filter((file) => asked.has(opened.pathOf(file))).map((file) => moduleOf(opened, file));
  return { modules: modules.sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file)) };
}

function moduleOf({ checker, pathOf }: WorkspaceProgram, file: ts.SourceFile): ApiModule {
  const symbol = checker.getSymbolAtLocation(file);
  const exported = symbol ? checker.getExportsOfModule(symbol) : [];
  return { file: pathOf(file), exports: exported.map((one) => exportOf(checker, one, file)) };
}

function exportOf(checker: ts.TypeChecker, exported: ts.Symbol, file: ts.SourceFile): ApiExport {
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
  const declaration = symbol.valueDeclaration ?? symbol.declarations?.[0];
  const { kind, signature } = describe(checker, symbol, exported.name, declaration, file);
  return {
    name: exported.name,
    kind,
    signature: shorten(signature, SIGNATURE_CHARACTERS),
    doc: shorten(docOf(checker, symbol), DOC_CHARACTERS),
  };
}

function describe(
  checker: ts.TypeChecker,
  symbol: ts.Symbol,
  name: string,
  declaration: ts.Declaration | undefined,
  file: ts.SourceFile,
): { kind: string; signature: string } {
  if (!declaration) return { kind: 'unknown', signature: name };
  if (ts.isClassLike(declaration)) return { kind: 'class', signature: classSignature(checker, declaration, name) };
  if (ts.isInterfaceDeclaration(declaration)) return { kind: 'interface', signature: declaredText(declaration) };
  if (ts.isTypeAliasDeclaration(declaration)) return { kind: 'type', signature: declaredText(declaration) };
  if (ts.isEnumDeclaration(declaration)) return { kind: 'enum', signature: declaredText(declaration) };
  if (ts.isModuleDeclaration(declaration) || ts.isSourceFile(declaration)) return { kind: 'namespace', signature: `namespace ${name}` };
  const type = checker.getTypeOfSymbolAtLocation(symbol, file);
  const calls = type.getCallSignatures();
  if (calls.length > 0) {
    const lines = calls.map((call) => `function ${name}${checker.signatureToString(call, declaration, ts.TypeFormatFlags.NoTruncation)}`);
    return { kind: 'function', signature: lines.join('\n') };
  }
  const constant = ts.isVariableDeclaration(declaration) && (ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.Const) !== 0;
  const kind = ts.isVariableDeclaration(declaration) && !constant ? 'variable' : 'constant';
  return { kind, signature: `${kind === 'variable' ? 'let' : 'const'} ${name}: ${checker.typeToString(type, declaration, FORMAT)}` };
}

/** The class without the bodies of its methods and without its private members. */
function classSignature(checker: ts.TypeChecker, declaration: ts.ClassLikeDeclaration, name: string): string {
  const parameters = declaration.typeParameters ? `<${declaration.typeParameters.map((one) => one.getText()).join(', ')}>` : '';
  const heritage = (declaration.heritageClauses ?? []).map((clause) => ` ${clause.getText()}`).join('');
  const members = declaration.members.flatMap((member) => memberSignature(checker, member) ?? []);
  return `class ${name}${parameters}${heritage} {${members.map((member) => `\n  ${member};`).join('')}${members.length > 0 ? '\n' : ''}}`;
}

function memberSignature(checker: ts.TypeChecker, member: ts.ClassElement): string | undefined {
  const flags = ts.getCombinedModifierFlags(member);
  if (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected) || (member.name && ts.isPrivateIdentifier(member.name)))
    return undefined;
  const prefix = `${flags & ts.ModifierFlags.Static ? 'static ' : ''}${flags & ts.ModifierFlags.Readonly ? 'readonly ' : ''}`;
  if (ts.isConstructorDeclaration(member)) return `constructor(${member.parameters.map((one) => one.getText()).join(', ')})`;
  const name = member.name?.getText();
  if (name === undefined) return undefined;
  if (ts.isMethodDeclaration(member)) {
    const signature = checker.getSignatureFromDeclaration(member);
    return signature && `${prefix}${name}${checker.signatureToString(signature, member, ts.TypeFormatFlags.NoTruncation)}`;
  }
  const accessor = ts.isGetAccessor(member) ? 'get ' : ts.isSetAccessor(member) ? 'set ' : '';
  return `${prefix}${accessor}${name}: ${checker.typeToString(checker.getTypeAtLocation(member), member, FORMAT)}`;
}

/** The declaration as written, without comments and `export`. */
function declaredText(declaration: ts.Declaration): string {
  const printer = ts.createPrinter({ removeComments: true });
  return printer.printNode(ts.EmitHint.Unspecified, declaration, declaration.getSourceFile()).replace(/^export (default )?/, '');
}

function docOf(checker: ts.TypeChecker, symbol: ts.Symbol): string {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker));
  const tags = symbol.getJsDocTags(checker).map((tag) => `@${tag.name} ${ts.displayPartsToString(tag.text)}`.trim());
  return [text, ...tags].filter(Boolean).join('\n');
}

function shorten(text: string, characters: number): string {
  return text.length > characters ? `${text.slice(0, characters)}…` : text;
}
