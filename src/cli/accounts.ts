import { InvalidArgumentError } from '@commander-js/extra-typings'
import type { Config } from '../config.ts'
import type { Account } from '../identity/account-types.ts'
import { formatMicros, parseMicros } from '../money.ts'
import { createCommand, createCommandGroup, parseWholeNumber } from './command.ts'
import { CommandError } from './command-error.ts'
import type { CommandContext } from './context.ts'
import { type Operator, withOperator } from './operator.ts'
import { formatTable } from './table.ts'
import { formatMoney, showable } from './wording.ts'

const PAGE = 500

export function createAccountsCommand(context: CommandContext) {
  const summary = 'Accounts: make and list them, and give them credit (for the operator)'
  return createCommandGroup(context, { name: 'accounts', summary })
    .addCommand(createCreateCommand(context))
    .addCommand(createListCommand(context))
    .addCommand(createGrantCommand(context))
}

function createCreateCommand(context: CommandContext) {
  return createCommand(context, {
    name: 'create',
    summary: 'Make an account',
    examples: [
      'accounts create --name "Acme" --prepaid --credit 10',
      'accounts create --name "Team" --metered --daily-spend 50',
    ],
  })
    .requiredOption('--name <text>', 'whose it is')
    .option('--prepaid', 'refuse what its balance does not cover')
    .option('--metered', 'count what it spends, and never refuse for want of credit')
    .option('--credit <amount>', 'grant it this at once', parseCredit)
    .option('--requests-per-minute <n>', 'requests that it may make', parseWholeNumber)
    .option('--concurrent-generations <n>', 'generations that may run at a time; others wait', parseWholeNumber)
    .option('--subscriptions <n>', 'subscriptions that it may hold', parseWholeNumber)
    .option('--daily-spend <amount>', 'what it may spend in a UTC day', parseCredit)
    .action(({ json, name, prepaid, metered, credit, dailySpend: dailySpendMicros, ...counts }) => {
      if (prepaid === metered) throw new CommandError(2, 'Say which of the two it is: --prepaid or --metered.')
      const { requestsPerMinute, concurrentGenerations, subscriptions } = counts
      const asked = { requestsPerMinute, concurrentGenerations, subscriptions, dailySpendMicros }
      return withOperator(context, async (operator, config) => {
        const created = await operator.accounts.create({
          name,
          billing: prepaid ? 'PREPAID' : 'METERED',
          limits: Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined)),
        })
        const account = credit === undefined ? created : await operator.grant(created.id, credit, 'First credit')
        report(context, config, account, json)
      })
    })
}

function createListCommand(context: CommandContext) {
  return createCommand(context, {
    name: 'list',
    summary: 'List the accounts with balance and limits',
    examples: ['accounts list'],
  }).action(({ json }) =>
    withOperator(context, async (operator, config) => {
      const accounts = await listAll(operator)
      const { output } = context
      if (json) return output.json({ accounts: accounts.map((account) => present(account, config)) })
      if (accounts.length === 0) return output.line('No account. Make one with: npm run pictor -- accounts create')
      const columns = [
        { title: 'id' },
        { title: 'billing' },
        { title: 'balance', align: 'right' },
        { title: 'held', align: 'right' },
        { title: 'a day', align: 'right' },
        { title: 'name' },
      ] as const
      const money = (micros: number) => moneyOf(micros, config)
      const rows = accounts.map((account) => [
        account.id,
        account.billing,
        money(account.balanceMicros),
        money(account.heldMicros),
        account.dailySpendMicros === null ? '–' : money(account.dailySpendMicros),
        showable(account.name),
      ])
      for (const line of formatTable(columns, rows, output.width)) output.line(line)
    }),
  )
}

function createGrantCommand(context: CommandContext) {
  return createCommand(context, {
    name: 'grant',
    summary: 'Give an account credit',
    examples: ['accounts grant acc_0193… 25 --note "Invoice 17"'],
  })
    .argument('<id>', 'id of the account; see `pictor accounts list`')
    .argument('<amount>', "in the server's currency", parseCredit)
    .option('--note <text>', 'what it is for; kept with the entry')
    .action((id, amountMicros, { json, note = null }) =>
      withOperator(context, async (operator, config) => {
        report(context, config, await operator.grant(id, amountMicros, note), json)
      }),
    )
}

async function listAll({ accounts }: Operator): Promise<readonly Account[]> {
  const found: Account[] = []
  for (;;) {
    const afterId = found.at(-1)?.id
    const page = await accounts.list({ ...(afterId === undefined ? {} : { afterId }), limit: PAGE })
    found.push(...page)
    if (page.length < PAGE) return found
  }
}

function report({ output }: CommandContext, config: Config, account: Account, json: boolean | undefined): void {
  const balance = moneyOf(account.balanceMicros, config)
  if (json) output.json({ account: present(account, config) })
  else {
    output.line(account.id)
    output.line(output.style('dim', `${showable(account.name)}, ${account.billing}, balance ${balance}`))
  }
}

function present(account: Account, config: Config): object {
  const { id, name, billing, requestsPerMinute, concurrentGenerations, subscriptions, dailySpendMicros } = account
  return {
    id,
    name,
    billing,
    currency: config.currency.code,
    balance: formatMicros(account.balanceMicros),
    held: formatMicros(account.heldMicros),
    requestsPerMinute,
    concurrentGenerations,
    subscriptions,
    dailySpend: dailySpendMicros === null ? null : formatMicros(dailySpendMicros),
  }
}

function moneyOf(micros: number, config: Config): string {
  return formatMoney({ amount: formatMicros(micros), currency: config.currency.code })
}

/** In micro-units, above 0. */
function parseCredit(text: string): number {
  const micros = parseMicros(text)
  if (micros !== null && micros > 0) return micros
  throw new InvalidArgumentError('It must be a plain decimal above 0 with at most six places, such as 10 or 2.50.')
}
