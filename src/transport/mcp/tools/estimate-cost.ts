import { z } from 'zod'
import { inArgumentNames } from '../argument-names.ts'
import { REQUEST_ARGUMENTS, readRequest } from '../generation-arguments.ts'
import { MoneyRangeSchema, MoneySchema, toMoneyRange } from '../results/money-result.ts'
import { toWarningResult, WarningSchema } from '../results/warning-result.ts'
import { defineTool } from '../tool.ts'

export const estimateCost = defineTool({
  name: 'estimate_cost',
  title: 'Estimate the cost',
  description:
    'What generate_image with the same arguments would cost, would change and would refuse. Nothing is held, called or made.',
  input: z.strictObject(REQUEST_ARGUMENTS),
  output: z.object({
    model: z.string().describe('Id of the model that would answer.'),
    total: MoneyRangeSchema.nullable().describe('For the whole request; null: the price is not known.'),
    per_image: MoneyRangeSchema.nullable().describe('For one image of it.'),
    balance: MoneySchema.describe('What can be spent: balance less what is held.'),
    affordable: z.boolean().nullable().describe('Would the balance cover the most? null: the price is not known.'),
    own_key: z.boolean().describe("true where a provider key of the account's own would pay, and no credits."),
    provider_price: MoneyRangeSchema.nullable().describe('What the provider then asks of the owner of the key.'),
    width: z.int().nullable().describe('Of each image in pixels; null: the provider decides.'),
    height: z.int().nullable().describe('Of each image in pixels; null: the provider decides.'),
    warnings: z.array(WarningSchema).describe('What would be adjusted or left out.'),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  scopes: ['read', 'generate'],
  async answer(args, { services, viewer, inTime }) {
    const work = services.generations.estimate(viewer, readRequest(args, null))
    const estimate = await inTime(inArgumentNames(work))
    const { currency } = services
    return {
      result: {
        model: estimate.model.id,
        total: toMoneyRange(currency, estimate.total),
        per_image: toMoneyRange(currency, estimate.perImage),
        balance: currency.toMoney(estimate.balanceMicros),
        affordable: estimate.affordable,
        own_key: estimate.ownKey,
        provider_price: toMoneyRange(currency, estimate.providerPrice),
        width: estimate.parameters.width,
        height: estimate.parameters.height,
        warnings: estimate.warnings.map(toWarningResult),
      },
    }
  },
})
