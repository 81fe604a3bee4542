import type { Builder } from './builder.ts'

export function registerMoney(builder: Builder): void {
  builder.objectType('Money', {
    description: 'An amount in the currency of this server, exact to a millionth.',
    fields: (t) => ({
      amount: t.field({
        type: 'Decimal',
        description: 'In the currency below, always with six places.',
        resolve: (money) => money.amount,
      }),
      currency: t.exposeString('currency', { description: 'ISO 4217 code, the same everywhere on one server.' }),
      credits: t.field({
        type: 'Decimal',
        description: "The same in credits, at the server's rate.",
        resolve: (money) => money.credits,
      }),
    }),
  })
  builder.objectType('MoneyRange', {
    description: 'From the least to the most that it can be; both are equal where the price is fixed.',
    fields: (t) => ({
      min: t.field({
        type: 'Money',
        description: 'The least.',
        resolve: (range, _args, { services }) => services.currency.toMoney(range.minMicros),
      }),
      max: t.field({
        type: 'Money',
        description: 'The most. This is what is held, and never less than what is charged.',
        resolve: (range, _args, { services }) => services.currency.toMoney(range.maxMicros),
      }),
    }),
  })
}
