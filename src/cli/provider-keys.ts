import type { KeptKey, SealState } from '../identity/provider-key-upkeep.ts'
import type { SealOwner } from '../identity/secret-box.ts'
import { createCommand, createCommandGroup } from './command.ts'
import { SilentExit } from './command-error.ts'
import type { CommandContext } from './context.ts'
import { withOperator } from './operator.ts'
import { formatTable } from './table.ts'
import { formatTime } from './wording.ts'

/** What accounts set themselves (`setProviderKey`) and the operator only keeps. */
export function createProviderKeysCommand(context: CommandContext) {
  const summary = 'Keys of accounts for providers: list them, and encrypt them anew (for the operator)'
  return createCommandGroup(context, { name: 'provider-keys', summary })
    .addCommand(createListCommand(context))
    .addCommand(createRewrapCommand(context))
}

const STATES: Readonly<Record<SealState, string>> = {
  CURRENT: 'under PICTOR_SECRET',
  PREVIOUS: 'under an earlier secret',
  UNREADABLE: 'cannot be read',
}

function createListCommand(context: CommandContext) {
  return createCommand(context, {
    name: 'list',
    summary: 'List which accounts keep a key for which provider, and whether it can be read',
    examples: ['provider-keys list'],
  }).action(({ json }) =>
    withOperator(context, async ({ providerKeys }) => {
      const keys = await providerKeys.list()
      const { output } = context
      if (json) return output.json({ providerKeys: keys.map(present) })
      if (keys.length === 0) return output.line('No account keeps a key for a provider.')
      const columns = ['account', 'provider', 'set', 'encrypted'].map((title) => ({ title }))
      const rows = keys.map(({ owner, createdAt, state }) => [
        owner.accountId,
        owner.provider,
        formatTime(createdAt),
        STATES[state],
      ])
      for (const line of formatTable(columns, rows, output.width)) output.line(line)
    }),
  )
}

function createRewrapCommand(context: CommandContext) {
  return createCommand(context, {
    name: 'rewrap',
    summary: 'Encrypt all of them anew under PICTOR_SECRET, so that PICTOR_SECRET_PREVIOUS can go',
    examples: ['provider-keys rewrap'],
  }).action(({ json }) =>
    withOperator(context, async ({ providerKeys }) => {
      const { rewrapped, unchanged, unreadable } = await providerKeys.rewrap()
      const { output } = context
      if (json) output.json({ rewrapped, unchanged, unreadable })
      else {
        output.line(`Encrypted anew: ${rewrapped}. Left as they were: ${unchanged}.`)
        for (const owner of unreadable) output.note(`${output.noteStyle('red', 'unreadable')}: ${describe(owner)}`)
      }
      if (unreadable.length > 0) throw new SilentExit(1)
    }),
  )
}

function describe({ accountId, provider, generationId }: SealOwner): string {
  return generationId === null
    ? `the key of ${accountId} for ${provider}. Name its secret in PICTOR_SECRET_PREVIOUS, or let the account set it again.`
    : `the key for ${provider} that came with ${generationId}. It will fail, unless PICTOR_SECRET_PREVIOUS names its secret.`
}

function present({ owner, createdAt, state }: KeptKey): object {
  const { accountId, provider } = owner
  return { accountId, provider, createdAt: new Date(createdAt).toISOString(), state }
}
