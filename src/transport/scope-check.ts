import { missingScope } from '../errors.ts'
import type { Scope, Viewer } from '../viewer.ts'

/** FORBIDDEN unless the viewer has one of the scopes, in the words in which GraphQL says it of a field. */
export function assertScope(viewer: Viewer, what: string, scopes: readonly Scope[]): void {
  if (!scopes.some((scope) => viewer.scopes.includes(scope))) throw missingScope(what, scopes)
}
