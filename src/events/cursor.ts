import { RequestError } from '../errors.ts'

/** Whose log a cursor points into: one generation's, by sequence, or an account's feed, by position. */
export type CursorOwner = { readonly generationId: string } | { readonly accountId: string }

const LONGEST_CURSOR = 256
const ORDER = /^(?:0|[1-9]\d{0,15})$/

/** Opaque to clients. `order` is the sequence or position of the last event that was seen; 0: none yet. */
export function formatCursor(owner: CursorOwner, order: number): string {
  return Buffer.from(`${prefixOf(owner)}${order}`, 'utf8').toString('base64url')
}

/** The order that a cursor of this owner holds. Throws BAD_USER_INPUT for anything else, another owner's included. */
export function parseCursor(text: string, owner: CursorOwner): number {
  const plain = text.length > LONGEST_CURSOR ? '' : Buffer.from(text, 'base64url').toString('utf8')
  const prefix = prefixOf(owner)
  const digits = plain.startsWith(prefix) ? plain.slice(prefix.length) : ''
  const order = ORDER.test(digits) ? Number(digits) : Number.NaN
  // Node skips what is no base64url, so only a cursor that we would write again is one that we wrote.
  if (!Number.isSafeInteger(order) || formatCursor(owner, order) !== text) {
    throw new RequestError('BAD_USER_INPUT', `The cursor is not one of this ${nameOf(owner)}.`)
  }
  return order
}

function prefixOf(owner: CursorOwner): string {
  return 'generationId' in owner ? `g:${owner.generationId}:` : `a:${owner.accountId}:`
}

function nameOf(owner: CursorOwner): string {
  return 'generationId' in owner ? "generation's events" : "account's feed"
}
