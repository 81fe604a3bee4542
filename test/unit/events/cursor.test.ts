import { describe, expect, it } from 'vitest'
import { RequestError } from '../../../src/errors.ts'
import { formatCursor, parseCursor } from '../../../src/events/cursor.ts'

const generation = { generationId: 'gen_0193' }
const account = { accountId: 'acc_local' }

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return error instanceof RequestError ? error.code : String(error)
  }
  return 'accepted'
}

describe('cursors', () => {
  it.each([0, 1, 42, Number.MAX_SAFE_INTEGER])('give back the order %d', (order) => {
    expect(parseCursor(formatCursor(generation, order), generation)).toBe(order)
    expect(parseCursor(formatCursor(account, order), account)).toBe(order)
  })

  it('need no escaping in a URL or a header', () => {
    expect(formatCursor({ accountId: 'acc_ÿ?>' }, 9)).toMatch(/^[\w-]+$/)
  })

  it.each([
    ['nothing', ''],
    ['plain text', 'gen_0193:1'],
    ['another generation', formatCursor({ generationId: 'gen_0194' }, 1)],
    ['a generation whose id begins alike', formatCursor({ generationId: 'gen_0193:1' }, 1)],
    ['a feed', formatCursor({ accountId: 'gen_0193' }, 1)],
    ['a negative order', Buffer.from('g:gen_0193:-1').toString('base64url')],
    ['a fraction', Buffer.from('g:gen_0193:1.5').toString('base64url')],
    ['an exponent', Buffer.from('g:gen_0193:1e3').toString('base64url')],
    ['a leading zero', Buffer.from('g:gen_0193:01').toString('base64url')],
    ['a number past 2^53', Buffer.from('g:gen_0193:9007199254740993').toString('base64url')],
    ['no order', Buffer.from('g:gen_0193:').toString('base64url')],
    ['padding', `${formatCursor(generation, 12)}==`],
    ['letters that decoding skips', `${formatCursor(generation, 12)}\u0000`],
    ['a megabyte', 'Z'.repeat(1_000_000)],
  ])('refuse %s', (_, text) => {
    expect(codeOf(() => parseCursor(text, generation))).toBe('BAD_USER_INPUT')
  })

  it('refuse the feed of another account', () => {
    expect(codeOf(() => parseCursor(formatCursor({ accountId: 'acc_2' }, 1), account))).toBe('BAD_USER_INPUT')
  })
})
