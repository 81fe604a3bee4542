import { OutboundError } from '../../src/outbound/outbound-error.ts'
import type { OutboundFetch } from '../../src/outbound/outbound-fetch.ts'

/** The web as the house sees it: pictures by address, and a note of every look at one. */
export type PictureShelf = {
  readonly fetchOutbound: OutboundFetch
  /** Addresses that were asked for, in order. */
  readonly asked: readonly string[]
  put(url: string, bytes: Uint8Array): void
  remove(url: string): void
  /** Answers with the next fetch instead of the shelf. */
  next(answer: OutboundFetch): void
}

export function createPictureShelf(): PictureShelf {
  const pictures = new Map<string, Uint8Array>()
  const asked: string[] = []
  const answers: OutboundFetch[] = []
  return {
    async fetchOutbound(url, request) {
      asked.push(url)
      const answer = answers.shift()
      if (answer) return answer(url, request)
      const bytes = pictures.get(url)
      if (bytes === undefined)
        throw new OutboundError('STATUS', 'The server answered with the status 404.', { status: 404 })
      return { bytes, contentType: null }
    },
    asked,
    put: (url, bytes) => void pictures.set(url, bytes),
    remove: (url) => void pictures.delete(url),
    next: (answer) => void answers.push(answer),
  }
}

/** As it comes with a multipart request. */
export function fileOf(bytes: Uint8Array): Blob {
  return new Blob([Uint8Array.from(bytes)])
}
