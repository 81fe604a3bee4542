import { InvalidArgumentError } from '@commander-js/extra-typings'
import type { ApiKey } from '../identity/account-types.ts'
import { LOCAL_ACCOUNT_ID } from '../identity/accounts.ts'
import { formatMicros } from '../money.ts'
import { createCommand, createCommandGroup, parseAmount } from './command.ts'
import type { CommandContext } from './context.ts'
import { withOperator } from './operator.ts'
import { formatTable } from './table.ts'
import { formatMoney, formatTime, showable } from './wording.ts'

const LIFE_UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

export function createKeysCommand(context: CommandContext) {
  return createCommandGroup(context, {
    name: 'keys',
    summary: 'API keys: make, list and revoke them (for the operator)',
  })
    .addCommand(createCreateCommand(context))
    .addCommand(createListCommand(context))
    .addCommand(createRevokeCommand(context))
}

function createCreateCommand(context: CommandContext) {
  return createCommand(context, {
    name: 'create',
    summary: 'Make an API key; its secret is shown this once',
    examples: [
      'keys create --name "web shop" --scopes generate,read --daily-spend 25',
      'keys create --name ci --expires 30d',
    ],
  })
    .requiredOption('--name <text>', 'what it is for')
    .option('--account <id>', 'whose it is; see `pictor accounts list`', LOCAL_ACCOUNT_ID)
    .option('--scopes <list>', 'of generate, read and admin; without it, generate and read', parseList)
    .option('--expires <when>', 'a time such as 2027-01-31T12:00Z, or a life such as 12h or 30d', (text) =>
      parseExpiry(text, context.clock.now()),
    )
    .option('--daily-spend <amount>', 'what it may spend in a UTC day', parseAmount)
    .action(({ json, name, account, scopes = null, expires: expiresAt = null, dailySpend = null }) =>
      withOperator(context, async ({ accounts, apiKeys, getAccount }, config) => {
        if (account === LOCAL_ACCOUNT_ID) await accounts.ensureLocal()
        await getAccount(account)
        const isFirst = !(await apiKeys.anyExist())
        const { apiKey, secret } = await apiKeys.create(account, { name, scopes, expiresAt, dailySpend }, null)
        const { output } = context
        if (json) output.json({ apiKey: present(apiKey), secret })
        else {
          output.line(secret)
          output.line(output.style('dim', `${apiKey.id}, ${apiKey.scopes.join(' and ')}, for ${account}`))
          output.note('This is the only time that the secret is shown: keep it on your server, never in a page.')
        }
        if (isFirst && config.auth === 'auto') {
          output.note(
            'It is the first key: from now on every call needs one. Commands take it with --key or PICTOR_KEY.',
          )
        }
      }),
    )
}

function createListCommand(context: CommandContext) {
  return createCommand(context, {
    name: 'list',
    summary: 'List the API keys of an account, without their secrets',
    examples: ['keys list', 'keys list --account acc_0193…'],
  })
    .option('--account <id>', 'whose', LOCAL_ACCOUNT_ID)
    .action(({ json, account }) =>
      withOperator(context, async ({ apiKeys, getAccount }, config) => {
        if (account !== LOCAL_ACCOUNT_ID) await getAccount(account)
        const keys = await apiKeys.list(account)
        const { output, clock } = context
        if (json) return output.json({ apiKeys: keys.map(present) })
        if (keys.length === 0) return output.line('No key. Make one with: npm run pictor -- keys create --name <name>')
        const columns = ['id', 'secret', 'scopes', 'state', 'a day', 'made', 'last used', 'name']
        const rows = keys.map((key) => [
          key.id,
          `${key.prefix}…`,
          key.scopes.join(','),
          stateOf(key, clock.now()),
          key.dailySpendMicros === null
            ? '–'
            : formatMoney({ amount: formatMicros(key.dailySpendMicros), currency: config.currency.code }),
          formatTime(key.createdAt),
          key.lastUsedAt === null ? 'never' : formatTime(key.lastUsedAt),
          showable(key.name),
        ])
        for (const line of formatTable(
          columns.map((title) => ({ title })),
          rows,
          output.width,
        ))
          output.line(line)
      }),
    )
}

function createRevokeCommand(context: CommandContext) {
  return createCommand(context, {
    name: 'revoke',
    summary: 'End a key, and the tokens made with it, now and for good',
    examples: ['keys revoke key_0193…'],
  })
    .argument('<id>', 'id of the key; see `pictor keys list`')
    .action((id, { json }) =>
      withOperator(context, async ({ revokeKey }) => {
        const apiKey = await revokeKey(id)
        if (json) return context.output.json({ apiKey: present(apiKey) })
        context.output.line(
          `${apiKey.id} (${showable(apiKey.name)}) is revoked. A server that runs refuses it within ten seconds.`,
        )
      }),
    )
}

/** As JSON: times as text, and no hash. */
function present({ id, accountId, name, prefix, scopes, dailySpendMicros, ...times }: ApiKey): object {
  const text = (time: number | null) => (time === null ? null : new Date(time).toISOString())
  return {
    id,
    accountId,
    name,
    prefix,
    scopes,
    dailySpend: dailySpendMicros === null ? null : formatMicros(dailySpendMicros),
    createdAt: text(times.createdAt),
    lastUsedAt: text(times.lastUsedAt),
    expiresAt: text(times.expiresAt),
    revokedAt: text(times.revokedAt),
  }
}

function stateOf({ revokedAt, expiresAt }: ApiKey, now: number): string {
  if (revokedAt !== null) return 'revoked'
  if (expiresAt === null) return 'active'
  return expiresAt <= now ? 'expired' : `until ${formatTime(expiresAt)}`
}

function parseList(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/** Milliseconds since 1970. */
export function parseExpiry(text: string, now: number): number {
  const [, count, unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  const lifeMs = LIFE_UNITS_MS[unit]
  if (count !== undefined && lifeMs !== undefined) return now + Number(count) * lifeMs
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isFinite(time)) return time
  throw new InvalidArgumentError('Write a time such as 2027-01-31T12:00Z, or a life such as 90m, 12h or 30d.')
}
