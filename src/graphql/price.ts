import type { Builder } from './builder.ts'

const ONE = { numerator: 1n, denominator: 1n }

export function registerPrice(builder: Builder): void {
  builder.objectType('Price', {
    description: 'What one unit costs. The most specific price of a unit counts.',
    fields: (t) => ({
      size: t.exposeString('size', { nullable: true, description: 'Only for this size; null: whatever it is.' }),
      quality: t.exposeString('quality', {
        nullable: true,
        description: 'Only for this quality; null: whatever it is.',
      }),
      amount: t.field({
        type: 'Money',
        description: "Price of one unit, with this server's rate and markup, rounded up to a millionth.",
        resolve: (price, _args, { services }) =>
          services.currency.toMoney(services.currency.usdToMicros(price.usd, ONE)),
      }),
      unit: t.field({ type: 'PriceUnit', description: 'What is counted.', resolve: (price) => price.unit }),
      asOf: t.expose('asOf', { type: 'DateTime', description: 'When the price was last checked.' }),
      source: t.exposeString('source', { description: 'Against what it was checked.' }),
    }),
  })
  builder.enumType('PriceUnit', {
    description: 'What a price counts. More values may be added.',
    values: {
      IMAGE: { description: 'An image.' },
      MEGAPIXEL: { description: 'A million pixels of output.' },
      FIRST_MEGAPIXEL: { description: 'The first million pixels of an image.' },
      FURTHER_MEGAPIXEL: { description: 'Each further million pixels of an image.' },
      INPUT_MEGAPIXEL: { description: 'A million pixels of input.' },
      INPUT_IMAGE: { description: 'A picture to start from.' },
      MILLION_INPUT_TOKENS: {
        description: 'A million tokens of input: of text, where pictures have a price of their own.',
      },
      MILLION_IMAGE_INPUT_TOKENS: { description: 'A million tokens of pictures in.' },
      MILLION_OUTPUT_TOKENS: { description: 'A million tokens of text out.' },
      MILLION_IMAGE_OUTPUT_TOKENS: { description: 'A million tokens of images out.' },
    },
  })
}
