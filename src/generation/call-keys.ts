import type { ProviderKeys } from '../identity/provider-keys.ts'
import type { SecretBox } from '../identity/secret-box.ts'
import { ProviderError } from '../providers/provider-error.ts'
import { Secret } from '../secret.ts'
import type { Database } from '../store/database.ts'
import { findGenerationSecret } from '../store/generation-secret-store.ts'
import type { RunningAttempt } from './attempt-beginning.ts'

export type CallKeys = {
  /**
   * The key that pays for an attempt, read right before its call; null: the server's. Whose it is was decided at
   * admission, and one that is gone is never replaced by another. Throws ProviderError: nothing has been sent, unless the
   * provider has the job already and can no longer be asked for it.
   */
  open(attempt: Pick<RunningAttempt, 'job' | 'accountId' | 'keySource' | 'reference'>): Promise<Secret | null>
}

export function createCallKeys(deps: {
  readonly db: Pick<Database, 'read'>
  readonly box: SecretBox
  readonly providerKeys: Pick<ProviderKeys, 'open'>
}): CallKeys {
  const { db, box, providerKeys } = deps

  /** Where there is none to be had: why, and what to do. */
  async function findStored(accountId: string, provider: string): Promise<Secret | string> {
    const key = await providerKeys.open(accountId, provider)
    if (key === undefined)
      return `The account's own key for ${provider} was removed meanwhile. Set one again, and retry.`
    if (key !== 'UNREADABLE') return key
    return `The account's own key for ${provider} ${UNREADABLE}. It must be set again.`
  }

  async function findGiven(accountId: string, provider: string, generationId: string): Promise<Secret | string> {
    const row = await findGenerationSecret(db.read, generationId)
    const key = row && box.open(row.ciphertext, { accountId, provider, generationId })
    if (key !== undefined) return key
    const why = row === undefined ? 'is gone' : UNREADABLE
    return `The key for ${provider} that came with the request ${why}. Ask once more with the key.`
  }

  return {
    async open({ job: { provider, generationId }, accountId, keySource, reference }) {
      if (keySource === 'SERVER') return null
      const found = await (keySource === 'ACCOUNT'
        ? findStored(accountId, provider)
        : findGiven(accountId, provider, generationId))
      if (found instanceof Secret) return found
      throw refuse(found, reference !== null)
    },
  }
}

const UNREADABLE = "cannot be read since the server's secret was changed"

function refuse(message: string, isAccepted: boolean): ProviderError {
  if (!isAccepted) return new ProviderError({ kind: 'UNAUTHORIZED', delivery: 'NOT_SENT', message })
  const open =
    'The provider had taken the job before and may bill the owner of the key; what became of it cannot be asked.'
  return new ProviderError({ kind: 'UNAUTHORIZED', delivery: 'UNKNOWN', message: `${message} ${open}` })
}
