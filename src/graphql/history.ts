import { RequestError } from '../errors.ts'
import { DEFAULT_PAGE_SIZE, LONGEST_SEARCH, MAX_PAGE_SIZE } from '../generation/page-limits.ts'
import type { HistoryFilter } from '../generation/services.ts'
import type { Builder } from './builder.ts'
import { encodeCursor, readPageArguments } from './pagination.ts'

export function registerHistory(builder: Builder): void {
  registerConnection(builder)
  const filter = registerFilter(builder)
  builder.queryField('history', (t) =>
    t.field({
      type: 'HistoryConnection',
      authScopes: { read: true },
      // Edges and nodes are as many as the page has, so the page multiplies and they do not.
      complexity: ({ first, last }) => ({ field: 5, multiplier: first ?? last ?? DEFAULT_PAGE_SIZE }),
      description: "The viewer's generations, newest first. A page is as fast at a million rows as at ten.",
      args: {
        first: t.arg.int({
          description: `How many after \`after\`: 1 to ${MAX_PAGE_SIZE}, else ${DEFAULT_PAGE_SIZE}.`,
        }),
        after: t.arg.string({ description: 'Only what follows this cursor.' }),
        last: t.arg.int({ description: `How many before \`before\`: 1 to ${MAX_PAGE_SIZE}.` }),
        before: t.arg.string({ description: 'Only what precedes this cursor.' }),
        filter: t.arg({ type: filter, description: 'Which ones; without it, all.' }),
      },
      resolve: async (_root, args, { services, viewer }) => {
        const page = { ...readPageArguments(args), filter: toHistoryFilter(args.filter ?? {}) }
        return { ...(await services.reader.history(viewer, page)), filter: page.filter }
      },
    }),
  )
}

function registerConnection(builder: Builder): void {
  builder.objectType('HistoryConnection', {
    description: 'A page of generations.',
    fields: (t) => ({
      edges: t.field({
        type: ['HistoryEdge'],
        complexity: { field: 1, multiplier: 1 },
        description: 'The generations with their cursors.',
        resolve: ({ items }) => items,
      }),
      nodes: t.field({
        type: ['Generation'],
        complexity: { field: 1, multiplier: 1 },
        description: 'The generations alone.',
        resolve: ({ items }) => items,
      }),
      pageInfo: t.field({
        type: 'PageInfo',
        description: 'Whether there is more.',
        resolve: ({ items, hasNextPage, hasPreviousPage }) => ({
          hasNextPage,
          hasPreviousPage,
          startCursor: cursorOf(items.at(0)),
          endCursor: cursorOf(items.at(-1)),
        }),
      }),
      totalCount: t.int({
        complexity: 20,
        description: 'How many the filter finds. Counted only when asked for; costs more than a page does.',
        resolve: ({ filter }, _args, { services, viewer }) => services.reader.countHistory(viewer, filter),
      }),
    }),
  })
  registerEdge(builder)
}

function registerEdge(builder: Builder): void {
  builder.objectType('HistoryEdge', {
    description: 'A generation in its list.',
    fields: (t) => ({
      cursor: t.string({ description: 'Pass it as `after` or `before`.', resolve: ({ id }) => encodeCursor(id) }),
      node: t.field({ type: 'Generation', description: 'The generation.', resolve: (generation) => generation }),
    }),
  })
  builder.objectType('PageInfo', {
    description: 'Where a page lies in its list.',
    fields: (t) => ({
      hasNextPage: t.exposeBoolean('hasNextPage', { description: 'Is there more after it?' }),
      hasPreviousPage: t.exposeBoolean('hasPreviousPage', { description: 'Is there more before it?' }),
      startCursor: t.exposeString('startCursor', { nullable: true, description: 'Cursor of its first; null: empty.' }),
      endCursor: t.exposeString('endCursor', { nullable: true, description: 'Cursor of its last; null: empty.' }),
    }),
  })
}

function cursorOf(generation: { readonly id: string } | undefined): string | null {
  return generation ? encodeCursor(generation.id) : null
}

function registerFilter(builder: Builder) {
  return builder.inputType('HistoryFilter', {
    description: 'Which generations to list. What is not given does not narrow.',
    fields: (t) => ({
      status: t.field({ type: ['GenerationStatus'], description: 'Only those in one of these states.' }),
      model: t.string({ description: 'Model id.' }),
      provider: t.string({ description: 'Provider id.' }),
      tag: t.string({ description: 'Only those with this tag.' }),
      endUser: t.string({ description: 'Only those made for this user of yours.' }),
      createdAfter: t.field({ type: 'DateTime', description: 'Only those accepted at this time or later.' }),
      createdBefore: t.field({ type: 'DateTime', description: 'Only those accepted before this time.' }),
      search: t.string({ description: 'Words that the prompt must all contain; up to 500 characters.' }),
    }),
  })
}

type FilterFields = { readonly [K in keyof HistoryFilter]?: HistoryFilter[K] | undefined }

function toHistoryFilter(fields: FilterFields): HistoryFilter {
  if ((fields.search ?? '').length > LONGEST_SEARCH) {
    throw new RequestError(
      'BAD_USER_INPUT',
      `\`filter.search\` takes up to ${LONGEST_SEARCH} characters. Use fewer words.`,
    )
  }
  return {
    status: fields.status ?? null,
    model: fields.model ?? null,
    provider: fields.provider ?? null,
    tag: fields.tag ?? null,
    endUser: fields.endUser ?? null,
    createdAfter: fields.createdAfter ?? null,
    createdBefore: fields.createdBefore ?? null,
    search: fields.search ?? null,
  }
}
