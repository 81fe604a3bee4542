import type { Clock } from '../../clock.ts'
import type { Secret } from '../../secret.ts'
import type { VendorFetch } from './vendor-fetch.ts'

/** What every adapter is given. */
export type VendorDeps = {
  readonly clock: Clock
  readonly fetch: VendorFetch
  /** The server's own; null: none. */
  readonly apiKey: Secret | null
  /** Without a slash at its end. */
  readonly baseUrl: string
}

/** What the adapter of an engine on its owner's hardware is given, of which there may be any number. */
export type EngineDeps = VendorDeps & {
  /** The instance's name: the first half of its models' ids. */
  readonly id: string
  readonly name: string
}
