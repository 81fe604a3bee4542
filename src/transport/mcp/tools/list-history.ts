import { z } from 'zod'
import { GENERATION_STATUSES } from '../../../generation/generation-state.ts'
import { LONGEST_SEARCH } from '../../../generation/page-limits.ts'
import { encodeCursor, readPageArguments } from '../../../graphql/pagination.ts'
import { NO_FILTER } from '../history-filter.ts'
import { GenerationSchema, showGenerations } from '../results/generation-result.ts'
import { defineTool } from '../tool.ts'

const DEFAULT_LIMIT = 10
const MAX_LIMIT = 50

export const listHistory = defineTool({
  name: 'list_history',
  title: 'List generations',
  description: 'Earlier generations, newest first, a page at a time. The arguments narrow it together.',
  input: z.strictObject({
    limit: z.int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT).describe('How many: 1 to 50.'),
    after: z.string().optional().describe('next_cursor of the page before.'),
    status: z.array(z.enum(GENERATION_STATUSES)).optional().describe('Only those in one of these states.'),
    model: z.string().optional().describe('Only those of this model, by its id.'),
    tag: z.string().optional().describe('Only those with this tag.'),
    search: z.string().max(LONGEST_SEARCH).optional().describe('Words that the prompt must all contain.'),
  }),
  output: z.object({
    generations: z.array(GenerationSchema).describe('The page.'),
    next_cursor: z.string().nullable().describe('after of the next page; null: this is the last.'),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  scopes: ['read'],
  async answer({ limit, after, status = null, model = null, tag = null, search = null }, { services, viewer }) {
    const filter = { ...NO_FILTER, status, model, tag, search }
    const page = { ...readPageArguments({ first: limit, after }), filter }
    const { items, hasNextPage } = await services.reader.history(viewer, page)
    const shown = await showGenerations(services, items)
    const last = items.at(-1)
    const nextCursor = hasNextPage && last ? encodeCursor(last.id) : null
    return { result: { generations: shown.map(({ result }) => result), next_cursor: nextCursor } }
  },
})
