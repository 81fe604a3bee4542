import { GENERATION_STATUSES } from '../../generation/generation-state.ts'
import type { Image } from '../../generation/generation-types.ts'
import { DEFAULT_PAGE_SIZE, GENERATION_ID, LONGEST_SEARCH, MAX_PAGE_SIZE } from '../../generation/page-limits.ts'
import type { HistoryFilter } from '../../generation/services.ts'
import type { Endpoint } from './endpoint.ts'
import type { Fields } from './fields.ts'
import { describeGeneration, describeImage } from './generation-view.ts'

/** Newest first. `after` and `before` are ids of generations, and `last_id` is what the next page begins after. */
const list: Endpoint = {
  method: 'GET',
  path: /^\/v1\/images\/history$/,
  name: 'GET /v1/images/history',
  scopes: ['read'],
  async run(call, { services }) {
    const page = readPage(call.query)
    const { items, hasNextPage, hasPreviousPage } = await services.reader.history(call.viewer, page)
    const images = Map.groupBy(await services.reader.imagesOf(items.map(({ id }) => id)), (each) => each.generationId)
    const viewOf = (image: Image) => describeImage(services.images, image, null)
    await call.answer(200, {
      object: 'list',
      data: items.map((item) => {
        const own = (images.get(item.id) ?? []).toSorted((a, b) => a.imageIndex - b.imageIndex)
        return describeGeneration(services, item, own.map(viewOf))
      }),
      first_id: items.at(0)?.id ?? null,
      last_id: items.at(-1)?.id ?? null,
      has_more: page.direction === 'forward' ? hasNextPage : hasPreviousPage,
    })
  },
}

export const HISTORY_ENDPOINTS: readonly Endpoint[] = [list]

function readPage(query: Fields) {
  const [after, before] = [readId(query, 'after'), readId(query, 'before')]
  if (after !== null && before !== null) refuse(query, 'before', 'Give either `after` or `before`, not both.')
  const limit = query.integer('limit') ?? DEFAULT_PAGE_SIZE
  if (limit < 1 || limit > MAX_PAGE_SIZE) refuse(query, 'limit', `It must be from 1 to ${MAX_PAGE_SIZE}.`)
  const filter = readFilter(query)
  query.finish()
  const direction = before === null ? ('forward' as const) : ('backward' as const)
  return { filter, limit, direction, after, before }
}

function readFilter(query: Fields): HistoryFilter {
  const search = query.text('search')
  if ((search ?? '').length > LONGEST_SEARCH) refuse(query, 'search', `It takes up to ${LONGEST_SEARCH} characters.`)
  return {
    status: readStatuses(query),
    model: query.text('model'),
    provider: query.text('provider'),
    tag: query.text('tag'),
    endUser: query.text('user'),
    createdAfter: readTime(query, 'created_after'),
    createdBefore: readTime(query, 'created_before'),
    search,
  }
}

function readStatuses(query: Fields): HistoryFilter['status'] {
  const given = query.texts('status')?.flatMap((text) => text.toLowerCase().split(','))
  if (given === undefined) return null
  const known = GENERATION_STATUSES.filter((status) => given.includes(status.toLowerCase()))
  if (known.length < new Set(given).size) {
    refuse(query, 'status', `Each is one of ${GENERATION_STATUSES.join(', ').toLowerCase()}.`)
  }
  return known
}

function readId(query: Fields, name: 'after' | 'before'): string | null {
  const id = query.text(name)
  if (id !== null && !GENERATION_ID.test(id))
    refuse(query, name, 'It must be the id of a generation, such as `last_id` of a page.')
  return id
}

/** Seconds since 1970, as `created` says it, or RFC 3339. */
function readTime(query: Fields, name: string): number | null {
  const text = query.text(name)
  if (text === null) return null
  const ms = /^\d{1,11}$/.test(text)
    ? Number(text) * 1000
    : /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:\d{2})$/.test(text)
      ? Date.parse(text)
      : Number.NaN
  if (Number.isNaN(ms)) refuse(query, name, 'It must be seconds since 1970, or a time such as 2026-11-22T08:00:00Z.')
  return ms
}

function refuse(query: Fields, param: string, message: string): void {
  query.fault({ param, message, code: 'invalid_value', allowed: [] })
}
