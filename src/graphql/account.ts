import type { Builder } from './builder.ts'

export function registerAccount(builder: Builder): void {
  registerViewer(builder)
  registerLimits(builder)
  builder.objectType('Account', {
    description: 'Owner of a balance, of keys and of generations.',
    interfaces: ['Node'],
    fields: (t) => ({
      name: t.exposeString('name', { description: 'For people.' }),
      billing: t.field({
        type: 'BillingMode',
        description: 'Whether generations are refused for want of credit.',
        resolve: (account) => account.billing,
      }),
      balance: t.field({
        type: 'Money',
        description: 'Sum of the ledger; below zero only when METERED.',
        resolve: (account, _args, { services }) => services.currency.toMoney(account.balanceMicros),
      }),
      held: t.field({
        type: 'Money',
        description: 'Part of the balance that is held for generations that have not ended.',
        resolve: (account, _args, { services }) => services.currency.toMoney(account.heldMicros),
      }),
      limits: t.field({
        type: 'AccountLimits',
        description: 'How much it may do at once.',
        resolve: (account) => account,
      }),
      apiKeys: t.field({
        type: ['ApiKey'],
        authScopes: { admin: true },
        complexity: { field: 5, multiplier: 10 },
        description: 'Its keys, without their secrets.',
        resolve: (_account, _args, { services, viewer }) => services.accounts.apiKeys(viewer),
      }),
    }),
  })
}

function registerViewer(builder: Builder): void {
  builder.objectType('Viewer', {
    description: 'The caller, as it was authenticated.',
    fields: (t) => ({
      account: t.field({
        type: 'Account',
        complexity: 5,
        description: 'The account that it acts for.',
        resolve: (viewer, _args, { services }) => services.accounts.account(viewer),
      }),
      endUser: t.exposeString('endUser', {
        nullable: true,
        description: "The only one of your users whose generations this caller's token sees; null: all.",
      }),
      scopes: t.stringList({
        description: '`generate`: spend. `read`: see history, images and models. `admin`: keys and tokens.',
        resolve: ({ scopes }) => scopes,
      }),
      expiresAt: t.expose('expiresAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When its key or token ends; null: does not end by itself.',
      }),
    }),
  })
  builder.queryField('viewer', (t) =>
    t.field({
      type: 'Viewer',
      description: 'The caller: account, balance, limits. Needs no scope.',
      resolve: (_root, _args, { viewer }) => viewer,
    }),
  )
}

function registerLimits(builder: Builder): void {
  builder.objectType('AccountLimits', {
    description: 'How much an account may do at once.',
    fields: (t) => ({
      requestsPerMinute: t.exposeInt('requestsPerMinute', {
        description: 'Requests in a minute that make work, such as generations and uploads.',
      }),
      concurrentGenerations: t.exposeInt('concurrentGenerations', {
        description: 'Generations that run at the same time; more of them wait.',
      }),
      subscriptions: t.exposeInt('subscriptions', { description: 'Subscriptions at the same time.' }),
      dailySpend: t.field({
        type: 'Money',
        nullable: true,
        description: 'What it may spend in a UTC day; null: no cap.',
        resolve: ({ dailySpendMicros }, _args, { services }) =>
          dailySpendMicros === null ? null : services.currency.toMoney(dailySpendMicros),
      }),
    }),
  })
  builder.enumType('BillingMode', {
    description: 'Whether generations are refused for want of credit. Caps hold for both.',
    values: {
      PREPAID: { description: 'Refused when the balance does not cover the hold.' },
      METERED: { description: 'Counted, never refused for want of credit.' },
    },
  })
}
