import type { VendorFetch } from '../../../src/providers/wire/vendor-fetch.ts'

/** One request after the other, so that the first scripted mode meets the first part, although parts go side by side. */
export function inTurn(fetch: VendorFetch): VendorFetch {
  let before: Promise<unknown> = Promise.resolve()
  return (input, init) => {
    const answer = before.then(() => fetch(input, init))
    before = answer.catch(() => undefined)
    return answer
  }
}
