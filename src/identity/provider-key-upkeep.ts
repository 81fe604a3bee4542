import { listGenerationSecrets, resealGenerationSecret } from '../store/generation-secret-store.ts'
import type { Database } from '../store/handles.ts'
import { listAllProviderKeys, resealProviderKey } from '../store/provider-key-store.ts'
import type { SealOwner, SecretBox } from './secret-box.ts'

/** CURRENT: under the current secret of the server. PREVIOUS: under an earlier one. UNREADABLE: no secret of it opens it. */
export type SealState = 'CURRENT' | 'PREVIOUS' | 'UNREADABLE'

export type KeptKey = { readonly owner: SealOwner; readonly createdAt: number; readonly state: SealState }

export type Rewrapping = {
  /** Under the current secret now, and under another before. */
  readonly rewrapped: number
  /** Was so already, or is gone by now. */
  readonly unchanged: number
  /** Whoever set it must do so again. */
  readonly unreadable: readonly SealOwner[]
}

/** For the operator, over all accounts. */
export type ProviderKeyUpkeep = {
  /** Those that accounts keep. */
  list(): Promise<readonly KeptKey[]>
  /** Seals anew what is not under the current secret, so that earlier ones can be forgotten: keys that wait with a generation too. */
  rewrap(): Promise<Rewrapping>
}

export function createProviderKeyUpkeep({ database, box }: { database: Database; box: SecretBox }): ProviderKeyUpkeep {
  function stateOf(ciphertext: string, owner: SealOwner): SealState {
    if (box.open(ciphertext, owner) === undefined) return 'UNREADABLE'
    return box.isCurrent(ciphertext) ? 'CURRENT' : 'PREVIOUS'
  }

  async function listSealed(): Promise<readonly Sealed[]> {
    const kept = await listAllProviderKeys(database.read)
    const given = await listGenerationSecrets(database.read)
    return [
      ...kept.map((row): Sealed => {
        const owner = { accountId: row.accountId, provider: row.provider, generationId: null }
        const reseal = (text: string) => database.transact((trx) => resealProviderKey(trx, row, text))
        return { owner, ciphertext: row.ciphertext, reseal }
      }),
      ...given.map((row): Sealed => {
        const { ciphertext, ...owner } = row
        return {
          owner,
          ciphertext,
          reseal: (text) => database.transact((trx) => resealGenerationSecret(trx, row, text)),
        }
      }),
    ]
  }

  return {
    async list() {
      const rows = await listAllProviderKeys(database.read)
      return rows.map(({ accountId, provider, ciphertext, createdAt }) => {
        const owner = { accountId, provider, generationId: null }
        return { owner, createdAt, state: stateOf(ciphertext, owner) }
      })
    },

    async rewrap() {
      let rewrapped = 0
      let unchanged = 0
      const unreadable: SealOwner[] = []
      for (const { owner, ciphertext, reseal } of await listSealed()) {
        const secret = box.open(ciphertext, owner)
        if (secret === undefined) unreadable.push(owner)
        else if (!box.isCurrent(ciphertext) && (await reseal(box.seal(secret, owner)))) rewrapped += 1
        else unchanged += 1
      }
      return { rewrapped, unchanged, unreadable }
    },
  }
}

/** `reseal`: false where it was replaced or removed meanwhile. */
type Sealed = {
  readonly owner: SealOwner
  readonly ciphertext: string
  reseal(ciphertext: string): Promise<boolean>
}
