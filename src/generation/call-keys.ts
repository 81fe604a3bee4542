import type { ProviderKeys } from '../identity/provider-keys.ts'
import type { SecretBox } from '../identity/secret-box.ts'
import { ProviderError } from '../providers/provider-error.ts'
import type { Secret } from '../secret.ts'
import type { Database } from '../store/database.ts'
import { findGenerationSecret } from '../store/generation-secret-store.ts'
import type { RunningAttempt } from './attempt-beginning.ts'

export type CallKeys = {
  /**
   * The key that pays for an attempt, read right before its call; null: the server's. Whose it is was decided at
   * admission, and one that is gone is never replaced by another: UNAUTHORIZED, and nothing has been sent.
   */
  open(attempt: Pick<RunningAttempt, 'job' | 'accountId' | 'keySource'>): Promise<Secret | null>
}

export function createCallKeys(deps: {
  readonly db: Pick<Database, 'read'>
  readonly box: SecretBox
  readonly providerKeys: Pick<ProviderKeys, 'open'>
}): CallKeys {
  const { db, box, providerKeys } = deps

  async function openStored(accountId: string, provider: string): Promise<Secret> {
    const key = await providerKeys.open(accountId, provider)
    if (key === undefined) {
      throw refuse(`The account's own key for ${provider} was removed meanwhile. Set one again, and retry.`)
    }
    if (key !== 'UNREADABLE') return key
    throw refuse(`The account's own key for ${provider} cannot be read since the server's secret was changed. ${AGAIN}`)
  }

  async function openGiven(accountId: string, provider: string, generationId: string): Promise<Secret> {
    const row = await findGenerationSecret(db.read, generationId)
    const key = row && box.open(row.ciphertext, { accountId, provider, generationId })
    if (key !== undefined) return key
    const why = row === undefined ? 'is gone' : "cannot be read since the server's secret was changed"
    throw refuse(`The key for ${provider} that came with the request ${why}. Ask once more with the key.`)
  }

  return {
    async open({ job: { provider, generationId }, accountId, keySource }) {
      if (keySource === 'SERVER') return null
      return keySource === 'ACCOUNT' ? openStored(accountId, provider) : openGiven(accountId, provider, generationId)
    },
  }
}

const AGAIN = 'It must be set again.'

function refuse(message: string): ProviderError {
  return new ProviderError({ kind: 'UNAUTHORIZED', delivery: 'NOT_SENT', message })
}
