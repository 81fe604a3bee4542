import { readFileSync } from 'node:fs'
import type { GraphiqlTab } from '../transport/server-options.ts'

const OPERATIONS = new URL('../../schema/operations/', import.meta.url)

/** With the defaults that GraphiQL would otherwise underline as missing. */
const REQUEST = { prompt: 'a red fox in snow', size: '1024x1024', previews: 3, priority: 'NORMAL', strict: true }

/** The blessed operations, ready to run from top to bottom; the same files that clients copy and tests run. */
export function readGraphiqlTabs(): readonly GraphiqlTab[] {
  return [
    tab('Generate', 'generate.graphql', { input: { ...REQUEST, count: 1 } }),
    tab('Watch all', 'history-updates.graphql', {}),
    tab('Watch one', 'watch.graphql', { id: 'the id that Generate gave', after: null }),
    tab('History', 'history.graphql', { first: 20 }),
    tab('Models', 'models.graphql', {}),
    tab('Estimate', 'estimate.graphql', { input: { ...REQUEST, count: 4 } }),
  ]
}

function tab(name: string, file: string, variables: object): GraphiqlTab {
  return { name, query: readFileSync(new URL(file, OPERATIONS), 'utf8'), variables: JSON.stringify(variables, null, 2) }
}
