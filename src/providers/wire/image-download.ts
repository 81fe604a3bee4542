import type { Clock } from '../../clock.ts'
import { OutboundError } from '../../outbound/outbound-error.ts'
import type { OutboundFetch } from '../../outbound/outbound-fetch.ts'
import { ProviderError } from '../provider-error.ts'
import { createAbortion } from './call-failures.ts'

export type DownloadDeps = {
  readonly clock: Clock
  /** For finished pictures, which lie on other hosts than the vendor's API. */
  readonly fetchOutbound: OutboundFetch
}

export const MAX_IMAGE_BYTES = 64 * 1024 * 1024
const DOWNLOAD_MS = 60_000
const TRIES = 3
const PAUSE_MS = 500

/**
 * Fetches a finished picture from where the vendor has put it: without the key, bounded, and never from a private
 * address. The link is free and lives for minutes, so a failure that may pass is tried again; the picture is paid for.
 * Throws ProviderError.
 */
export async function downloadImage(
  deps: DownloadDeps,
  vendor: string,
  url: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  for (let attempt = 1; ; attempt++) {
    try {
      const request = { maxBytes: MAX_IMAGE_BYTES, timeoutMs: DOWNLOAD_MS, signal, accept: 'image/*' }
      return (await deps.fetchOutbound(url, request)).bytes
    } catch (error) {
      if (signal.aborted) throw createAbortion(true)
      if (!(error instanceof OutboundError) || !mayPass(error) || attempt === TRIES) throw lost(vendor, error)
      await deps.clock.sleep(PAUSE_MS * attempt, signal)
    }
  }
}

function mayPass({ fault, status }: OutboundError): boolean {
  // What was put there a moment ago may not be seen everywhere yet: 404.
  if (fault === 'STATUS') return status !== null && (status >= 500 || [404, 408, 425, 429].includes(status))
  return fault === 'UNREACHABLE' || fault === 'TIMEOUT'
}

function lost(vendor: string, cause: unknown): ProviderError {
  const why = cause instanceof OutboundError ? ` ${cause.message}` : ''
  const message = `${vendor} made the picture, but it could not be fetched from where ${vendor} has put it.${why}`
  return new ProviderError({ kind: 'BAD_OUTPUT', delivery: 'ANSWERED', message, providerBilled: true, cause })
}
