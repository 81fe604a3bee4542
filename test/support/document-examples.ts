import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** A catalogue file as a document shows one. */
export type CatalogExample = {
  readonly models: readonly { readonly id: string }[]
  readonly providers: readonly { readonly id: string; readonly kind: string; readonly baseUrl: string }[]
}

/** The JSON blocks of a document that are catalogue files, in order. */
export function readCatalogExamples(path: string): readonly CatalogExample[] {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const blocks = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map(([, block = '']) => JSON.parse(block))
  return blocks
    .filter((block) => block.models !== undefined || block.providers !== undefined)
    .map(({ models = [], providers = [] }) => ({ models, providers }))
}
