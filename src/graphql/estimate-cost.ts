import { InvalidInputError, ModelUnavailableError } from '../errors.ts'
import { toGenerationInput } from '../generation/given-input.ts'
import type { Builder } from './builder.ts'

export function registerEstimateCost(builder: Builder): void {
  registerEstimate(builder)
  registerOwnKey(builder)
  registerReasons(builder)
  registerLine(builder)
  builder.queryField('estimateCost', (t) =>
    t.field({
      type: 'CostEstimate',
      errors: {
        types: [InvalidInputError, ModelUnavailableError],
        union: { name: 'EstimateCostResult', description: 'What it would cost, or why it would be refused.' },
      },
      authScopes: { read: true, generate: true },
      complexity: 10,
      description:
        'What `generateImage` with the same input would cost, would change and would refuse. Nothing is held or called.',
      args: { input: t.arg({ type: 'GenerateImageInput', required: true, description: 'What would be made.' }) },
      resolve: (_root, { input }, { services, viewer }) =>
        services.generations.estimate(viewer, toGenerationInput(input)),
    }),
  )
}

function registerEstimate(builder: Builder): void {
  builder.objectType('CostEstimate', {
    description: 'What a request would cost, line by line.',
    fields: (t) => ({
      model: t.field({ type: 'Model', description: 'The model that would answer.', resolve: ({ model }) => model }),
      total: t.field({
        type: 'MoneyRange',
        nullable: true,
        description: 'For the whole request. null: the price is not known; never a guess, never 0.',
        resolve: ({ total }) => total,
      }),
      perImage: t.field({
        type: 'MoneyRange',
        nullable: true,
        description: 'For one image of it.',
        resolve: ({ perImage }) => perImage,
      }),
      lines: t.field({
        type: ['CostLine'],
        description: 'How the upper bound comes about.',
        resolve: ({ lines }) => lines,
      }),
      balance: t.field({
        type: 'Money',
        description: 'What can be spent: balance less what is held.',
        resolve: ({ balanceMicros }, _args, { services }) => services.currency.toMoney(balanceMicros),
      }),
      affordable: t.exposeBoolean('affordable', {
        nullable: true,
        description: 'Would the balance cover the upper bound? null when the price is unknown.',
      }),
    }),
  })
}

function registerOwnKey(builder: Builder): void {
  builder.objectFields('CostEstimate', (t) => ({
    ownKey: t.exposeBoolean('ownKey', {
      description:
        "true when a provider key of the caller's own would pay: it costs no credits, and the provider bills the owner of the key.",
    }),
    providerPrice: t.field({
      type: 'MoneyRange',
      nullable: true,
      description:
        "What the provider then asks of the key's owner, by its price list; null: not known, or no such key pays.",
      resolve: ({ providerPrice }) => providerPrice,
    }),
  }))
}

function registerReasons(builder: Builder): void {
  builder.objectFields('CostEstimate', (t) => ({
    parameters: t.field({
      type: 'GenerationParameters',
      description: 'What would be asked of the provider.',
      resolve: ({ parameters }) => parameters,
    }),
    warnings: t.field({
      type: ['Warning'],
      description: 'What would be adjusted or left out.',
      resolve: ({ warnings }) => warnings,
    }),
    priceAsOf: t.expose('priceAsOf', {
      type: 'DateTime',
      nullable: true,
      description: 'When the price was last checked.',
    }),
    priceSource: t.exposeString('priceSource', { nullable: true, description: 'Against what it was checked.' }),
  }))
}

function registerLine(builder: Builder): void {
  builder.objectType('CostLine', {
    description: 'One line of an estimate. The lines add up to its upper bound.',
    fields: (t) => ({
      label: t.exposeString('label', { description: 'What it is for.' }),
      quantity: t.field({
        type: 'Decimal',
        description: 'How much of it, at most; tokens are counted in millions.',
        resolve: ({ quantity }) => quantity,
      }),
      unit: t.string({ description: 'What is counted: a `PriceUnit`.', resolve: ({ unit }) => unit }),
      unitPrice: t.field({
        type: 'Money',
        description: 'For one unit, rounded up to a millionth.',
        resolve: ({ unitPriceMicros }, _args, { services }) => services.currency.toMoney(unitPriceMicros),
      }),
      total: t.field({
        type: 'Money',
        description: 'For the line.',
        resolve: ({ totalMicros }, _args, { services }) => services.currency.toMoney(totalMicros),
      }),
    }),
  })
}
