import { describe, expect, it } from 'vitest'
import { defineModel } from '../../../src/providers/catalog/define-model.ts'
import { compareCatalog } from '../../../src/providers/catalog/vendor-list.ts'
import type { Lifecycle } from '../../../src/providers/model.ts'

const NOW = Date.UTC(2026, 10, 22)
const DECEMBER = Date.UTC(2026, 11, 1)
const model = (name: string, lifecycle: Partial<Lifecycle> = {}) =>
  defineModel({ id: `acme/${name}`, capabilities: {}, lifecycle })
const listed = (name: string, shutsDownAt: number | null = null) => ({ name, shutsDownAt })
const states = (...given: Parameters<typeof compareCatalog>) =>
  compareCatalog(...given).map(({ model, state }) => [model, state])

describe('compareCatalog', () => {
  it('finds nothing to mend where both say the same', () => {
    const models = [model('brush'), model('pen', { retiresAt: DECEMBER }), model('quill', { state: 'RETIRED' })]
    expect(states(models, [listed('brush'), listed('pen', DECEMBER)], NOW)).toEqual([
      ['acme/brush', 'LISTED'],
      ['acme/pen', 'LISTED'],
      ['acme/quill', 'GONE'],
    ])
  })

  it('misses what the vendor no longer lists, and what is retired here and is listed', () => {
    const models = [model('brush'), model('quill', { state: 'RETIRED' }), model('pen', { retiresAt: NOW })]
    expect(states(models, [listed('quill'), listed('pen')], NOW)).toEqual([
      ['acme/brush', 'MISSING'],
      ['acme/quill', 'UNRETIRED'],
      ['acme/pen', 'UNRETIRED'],
    ])
  })

  it('sees that a day of shutdown was moved or announced', () => {
    const models = [model('brush'), model('pen', { retiresAt: DECEMBER })]
    const findings = compareCatalog(models, [listed('brush', DECEMBER), listed('pen', DECEMBER + 86_400_000)], NOW)
    expect(findings).toEqual([
      { model: 'acme/brush', state: 'MOVED', detail: 'shuts down on 2026-12-01; the catalogue has no day' },
      { model: 'acme/pen', state: 'MOVED', detail: 'shuts down on 2026-12-02; the catalogue has 2026-12-01' },
    ])
  })

  it('tells of new models that make pictures by their name, and of no others', () => {
    expect(states([], [listed('image-9'), listed('words-9')], NOW)).toEqual([['image-9', 'NEW']])
  })
})
