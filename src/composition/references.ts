import type { RateLimits } from '../identity/rate-limits.ts'
import { createOutboundFetch, type OutboundFetch } from '../outbound/outbound-fetch.ts'
import type { OwnAddresses } from '../outbound/own-addresses.ts'
import { createEarlyBytes } from '../references/early-bytes.ts'
import { createPictureReader } from '../references/picture-reader.ts'
import { createPictureSources } from '../references/picture-sources.ts'
import { createReferenceImages } from '../references/reference-images.ts'
import { createUploads } from '../references/uploads.ts'
import type { Foundations } from './foundations.ts'

/** The pictures that callers bring. */
export function createReferences(
  { clock, ids, storage, database: db }: Foundations,
  options: {
    rateLimits: RateLimits
    sweep: () => void
    ownAddresses: OwnAddresses
    fetchOutbound?: OutboundFetch
  },
) {
  const { rateLimits, sweep, ownAddresses: own } = options
  const { fetchOutbound = createOutboundFetch({ clock, own }) } = options
  const readPicture = createPictureReader()
  const earlyBytes = createEarlyBytes({ db, clock, sweep })
  const countRequest = rateLimits.consume
  return {
    earlyBytes,
    sources: createPictureSources({ db, storage, fetchOutbound, readPicture, clock }),
    references: createReferenceImages({ storage, earlyBytes, clock }),
    uploads: createUploads({ db, storage, readPicture, earlyBytes, countRequest, clock, ids }),
  }
}
