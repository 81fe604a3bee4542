import { relative, resolve } from 'node:path'
import {
  type CallExpression,
  isArrowFunction,
  isBlock,
  isCallExpression,
  isClassDeclaration,
  isConstructorDeclaration,
  isExportDeclaration,
  isFunctionDeclaration,
  isFunctionExpression,
  isGetAccessorDeclaration,
  isIdentifier,
  isImportDeclaration,
  isInterfaceDeclaration,
  isMethodDeclaration,
  isNewExpression,
  isPropertyDeclaration,
  isSetAccessorDeclaration,
  isTypeAliasDeclaration,
  isVariableStatement,
  type NewExpression,
  type Node,
  type SourceFile as Tree,
} from 'typescript/unstable/ast'
import { API } from 'typescript/unstable/sync'

const ROOT = resolve(import.meta.dirname, '../..')

export type SourceFile = {
  /** From the project's root, such as `src/app.ts`. */
  readonly path: string
  readonly text: string
  readonly lineCount: number
  /** What it imports, be it for types, for values or while it runs: a path such as `src/ids.ts`, or a package's name. */
  readonly imports: readonly string[]
  /** Does it hold nothing but what it hands on from other files? */
  readonly isBarrel: boolean
  /** Source of top-level statements that do something when the file is loaded. */
  readonly effects: readonly string[]
  /** What is called or constructed while the file is loaded. */
  readonly callsWhenLoaded: readonly Call[]
  readonly functions: readonly SourceFunction[]
}

export type Call = {
  readonly name: string
  /** Where the name is imported from; null where it is the file's own or the language's. */
  readonly origin: string | null
}

export type SourceFunction = {
  readonly name: string
  /** Lines of its own: without those of the functions inside it that have a body of their own. */
  readonly ownLineCount: number
}

/** All files below a folder of the project, parsed by the compiler. */
export function readSourceFiles(folder: string): readonly SourceFile[] {
  const api = new API({ cwd: ROOT })
  try {
    const [project] = api.updateSnapshot({ openProjects: [resolve(ROOT, 'tsconfig.json')] }).getProjects()
    if (!project) throw new Error('The compiler found no project.')
    const paths = project.program.getSourceFileNames().filter((path) => path.startsWith(resolve(ROOT, folder)))
    return paths.map((path) => {
      const tree = project.program.getSourceFile(path)
      if (!tree) throw new Error(`The compiler did not read ${path}.`)
      return describeFile(relative(ROOT, path), tree)
    })
  } finally {
    api.close()
  }
}

function describeFile(path: string, tree: Tree): SourceFile {
  const statements = [...tree.statements]
  const origins = mapOrigins(path, statements, tree)
  return {
    path,
    text: tree.text,
    lineCount: tree.text.split('\n').length - 1,
    imports: tree.imports.map((specifier) => resolveImport(path, 'text' in specifier ? String(specifier.text) : '')),
    isBarrel: statements.every((statement) => isExportDeclaration(statement) && statement.moduleSpecifier),
    effects: statements.filter((statement) => !isDeclaration(statement)).map((statement) => statement.getText(tree)),
    callsWhenLoaded: statements
      .flatMap((statement) => listCalls(statement, tree))
      .map((name) => ({ name, origin: origins.get(name) ?? null })),
    functions: listFunctions(tree, tree),
  }
}

function resolveImport(from: string, specifier: string): string {
  return specifier.startsWith('.') ? relative(ROOT, resolve(ROOT, from, '..', specifier)) : nameOfPackage(specifier)
}

function nameOfPackage(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** From each imported name to where it comes from. */
function mapOrigins(path: string, statements: readonly Node[], tree: Tree): ReadonlyMap<string, string> {
  const imported = statements.filter(isImportDeclaration).flatMap(({ importClause, moduleSpecifier }) => {
    const from = resolveImport(path, 'text' in moduleSpecifier ? String(moduleSpecifier.text) : '')
    return (importClause?.getText(tree).match(/[\w$]+/g) ?? []).map((name) => [name, from] as const)
  })
  return new Map(imported)
}

function isDeclaration(statement: Node): boolean {
  return (
    isImportDeclaration(statement) ||
    isExportDeclaration(statement) ||
    isFunctionDeclaration(statement) ||
    isTypeAliasDeclaration(statement) ||
    isInterfaceDeclaration(statement) ||
    isClassDeclaration(statement) ||
    isVariableStatement(statement)
  )
}

const FUNCTIONS = [
  isFunctionDeclaration,
  isFunctionExpression,
  isArrowFunction,
  isMethodDeclaration,
  isConstructorDeclaration,
  isGetAccessorDeclaration,
  isSetAccessorDeclaration,
]

function isFunction(node: Node): boolean {
  return FUNCTIONS.some((is) => is(node))
}

/** Those that run when the statement does: not the ones inside functions and fields of classes. */
function listCalls(node: Node, tree: Tree): readonly string[] {
  if (isFunction(node) || isPropertyDeclaration(node)) return []
  const own = isCallExpression(node) || isNewExpression(node) ? [calleeOf(node, tree)] : []
  return [...own, ...childrenOf(node).flatMap((child) => listCalls(child, tree))]
}

/** The name at the start: `z` in `z.string().min(1)`. */
function calleeOf(call: CallExpression | NewExpression, tree: Tree): string {
  return /^[\w$]*/.exec(call.expression.getText(tree))?.[0] ?? ''
}

function listFunctions(node: Node, tree: Tree): readonly SourceFunction[] {
  const inside = childrenOf(node).flatMap((child) => listFunctions(child, tree))
  if (!isFunction(node)) return inside
  const nested = outermostFunctions(node).reduce((sum, child) => sum + countLines(child, tree), 0)
  return [{ name: nameOf(node, tree), ownLineCount: countLines(node, tree) - nested }, ...inside]
}

/** The functions with a block for a body that are inside of this one, but not inside of one another. */
function outermostFunctions(node: Node): readonly Node[] {
  return childrenOf(node).flatMap((child) =>
    isFunction(child) && 'body' in child && child.body && isBlock(child.body as Node)
      ? [child]
      : outermostFunctions(child),
  )
}

function countLines(node: Node, tree: Tree): number {
  return node.getText(tree).split('\n').length
}

function nameOf(node: Node, tree: Tree): string {
  if ('name' in node && node.name && isIdentifier(node.name as Node)) return (node.name as Node).getText(tree)
  return node.getText(tree).slice(0, 60).split('\n')[0] ?? ''
}

function childrenOf(node: Node): readonly Node[] {
  const children: Node[] = []
  node.forEachChild((child) => {
    children.push(child)
    return undefined
  })
  return children
}
