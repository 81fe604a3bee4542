import { RequestError } from '../errors.ts'
import { DEFAULT_PAGE_SIZE, GENERATION_ID, MAX_PAGE_SIZE } from '../generation/page-limits.ts'

export type PageArguments = {
  readonly first?: number | null | undefined
  readonly after?: string | null | undefined
  readonly last?: number | null | undefined
  readonly before?: string | null | undefined
}

/** Cursors are decoded to ids. */
export type PageRequest = {
  readonly limit: number
  readonly direction: 'forward' | 'backward'
  readonly after: string | null
  readonly before: string | null
}

type ListedPrefix = keyof typeof ID_OF
const ID_OF = { gen: GENERATION_ID, whd: /^whd_[0-9a-z]{1,64}$/ } as const

/** `prefix`: of the ids that the list holds. Throws BAD_USER_INPUT that names the argument. */
export function readPageArguments(
  { first, after, last, before }: PageArguments,
  prefix: ListedPrefix = 'gen',
): PageRequest {
  if (first != null && last != null) throw refuse('last', 'Give either `first` or `last`, not both.')
  assertSize('first', first)
  assertSize('last', last)
  return {
    limit: first ?? last ?? DEFAULT_PAGE_SIZE,
    direction: last == null ? 'forward' : 'backward',
    after: after == null ? null : decodeCursor('after', after, prefix),
    before: before == null ? null : decodeCursor('before', before, prefix),
  }
}

function assertSize(argument: 'first' | 'last', size: number | null | undefined): void {
  if (size == null || (size >= 1 && size <= MAX_PAGE_SIZE)) return
  throw refuse(argument, `\`${argument}\` must be from 1 to ${MAX_PAGE_SIZE}.`)
}

/** Of a list that goes by the ids of its items. */
export function encodeCursor(id: string): string {
  return Buffer.from(id).toString('base64url')
}

function decodeCursor(argument: 'after' | 'before', cursor: string, prefix: ListedPrefix): string {
  const id = Buffer.from(cursor, 'base64url').toString()
  // Node skips what is not base64url; a cursor that we gave out comes back as it was.
  if (ID_OF[prefix].test(id) && encodeCursor(id) === cursor) return id
  throw refuse(argument, `\`${argument}\` is not a cursor of this list.`)
}

function refuse(argument: keyof PageArguments, message: string): RequestError {
  return new RequestError('BAD_USER_INPUT', message, { argument })
}
