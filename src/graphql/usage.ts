import { RequestError } from '../errors.ts'
import type { Builder } from './builder.ts'

export function registerUsage(builder: Builder): void {
  builder.objectType('UsageBucket', {
    description: 'What one group of generations came to.',
    fields: (t) => ({
      key: t.exposeString('key', {
        description: 'The UTC day ("2026-11-22"), model id, provider id, tag or end user; "" where there is none.',
      }),
      generations: t.exposeInt('generations', { description: 'Generations that were accepted.' }),
      images: t.exposeInt('images', { description: 'Images that were made.' }),
      failed: t.exposeInt('failed', { description: 'Generations that ended without an image.' }),
      charged: t.field({
        type: 'Money',
        description: 'What the account paid.',
        resolve: ({ chargedMicros }, _args, { services }) => services.currency.toMoney(chargedMicros),
      }),
    }),
  })
  registerGroup(builder)
  builder.queryField('usage', (t) =>
    t.field({
      type: ['UsageBucket'],
      authScopes: { read: true },
      complexity: { field: 100, multiplier: 20 },
      description: 'Spending by day, model, provider, tag or end user.',
      args: {
        from: t.arg({ type: 'DateTime', required: true, description: 'Accepted at this time or later.' }),
        to: t.arg({ type: 'DateTime', required: true, description: 'Accepted before this time.' }),
        groupBy: t.arg({ type: 'UsageGroup', required: true, description: 'By what.' }),
      },
      resolve: (_root, query, { services, viewer }) => {
        if (query.from > query.to) {
          throw new RequestError('BAD_USER_INPUT', '`to` must not be before `from`.', { argument: 'to' })
        }
        return services.reader.usage(viewer, query)
      },
    }),
  )
}

function registerGroup(builder: Builder): void {
  builder.enumType('UsageGroup', {
    description: 'By what to report spending.',
    values: {
      DAY: { description: 'By UTC day.' },
      MODEL: { description: 'By the model that answered.' },
      PROVIDER: { description: 'By provider.' },
      TAG: { description: 'By tag; a generation with two tags counts in both.' },
      END_USER: { description: "By the caller's own user." },
    },
  })
}
