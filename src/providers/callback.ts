import type { Secret } from '../secret.ts'

/**
 * A vendor may say by itself that a job has ended. It is a hint: what became of the job is asked of the vendor as ever,
 * so that a call which is lost, late, repeated, out of order or forged changes nothing.
 */
export type CallbackLine = {
  /** Where the vendor may call about this part of the request. Nobody else can guess it. */
  urlOf(part: number): string
  /** For vendors that sign with a secret of our choice. */
  secretOf(part: number): Secret
  /** Passes after `ms`, or as soon as the vendor has called about this part since the last pause. Never rejects. */
  pause(part: number, ms: number, signal: AbortSignal): Promise<void>
}

/** What came to such an address, before any of it is believed. */
export type VendorCallback = {
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** As it came: signatures are made over these bytes. */
  readonly body: Uint8Array
  /** `secretOf` of the part that the address is for. */
  readonly secret: Secret
}

export type ProviderCallbacks = {
  /** Is all that is known of them certain? Otherwise they are used only where the operator names the provider. */
  readonly certain: boolean
  /** Is it this vendor's word, and of these minutes? Rejects where that cannot be found out now. */
  isGenuine(callback: VendorCallback, signal: AbortSignal): Promise<boolean>
}
