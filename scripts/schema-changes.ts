import { CriticalityLevel, diff } from '@graphql-inspector/core'
import { buildSchema } from 'graphql'

export type BreakingChange = {
  /** `Type`, `Type.field` or `Type.field.argument`. */
  readonly path: string
  readonly message: string
}

/** What clients of the first schema cannot do with the second. Both are SDL. */
export async function listBreakingChanges(before: string, after: string): Promise<readonly BreakingChange[]> {
  const changes = await diff(buildSchema(before), buildSchema(after))
  return changes
    .filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking)
    .map(({ path, message }) => ({ path: path ?? 'schema', message }))
}

/** What stands in backticks under the heading "Unreleased". */
export function readUnreleasedNames(changelog: string): ReadonlySet<string> {
  const [, section = ''] = /^## \[?Unreleased\]?.*\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(changelog) ?? []
  return new Set([...section.matchAll(/`([^`\n]+)`/g)].map(([, name = '']) => name))
}
