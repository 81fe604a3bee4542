import type { VendorFetch } from './vendor-fetch.ts'
import { readAnswer, type VendorAnswer } from './vendor-http.ts'

/** What one call of an SDK came to on the wire. SDKs pass on neither the headers nor the body of whatever they throw at. */
export type RecordedFetch = {
  readonly fetch: VendorFetch
  /** Has the SDK begun to send? Before that it may refuse a key or a name that it does not like. */
  hasBegun(): boolean
  /** The whole answer; null: none came, or it broke off. */
  answer(): VendorAnswer | null
}

/** For one request: an SDK that would send another by itself gets an error instead. */
export function recordFetch(fetch: VendorFetch): RecordedFetch {
  let begun = false
  let answer: VendorAnswer | null = null
  return {
    async fetch(input, init) {
      if (begun) throw new Error('One call is one request.')
      begun = true
      const response = await fetch(input, init)
      answer = await readAnswer(response)
      const { status, statusText, headers } = response
      return new Response(response.body === null ? null : Buffer.from(answer.bytes), { status, statusText, headers })
    },
    hasBegun: () => begun,
    answer: () => answer,
  }
}
