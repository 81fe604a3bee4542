import { ModelUnavailableError } from '../../errors.ts'
import type { Model, PriceRule, SizeRange } from '../../providers/model.ts'
import type { Services } from '../../services.ts'
import type { Endpoint, RestCall } from './endpoint.ts'
import { toTime } from './generation-view.ts'
import { paramOf } from './param-names.ts'

const list: Endpoint = {
  method: 'GET',
  path: /^\/v1\/models$/,
  name: 'GET /v1/models',
  scopes: ['read'],
  async run(call, { services }) {
    const { query } = call
    const filter = {
      provider: query.text('provider'),
      available: query.flag('available'),
      search: query.text('search'),
    }
    query.finish()
    const none = { lifecycle: null, minCount: null, seed: null, referenceImages: null }
    const models = await services.models.list(call.viewer, { ...none, ...filter })
    const data = await Promise.all(models.map((model) => describeModel(services, call, model)))
    await call.answer(200, { object: 'list', data })
  },
}

/** By id, bare name or alias. */
const read: Endpoint = {
  method: 'GET',
  path: /^\/v1\/models\/(.+)$/,
  name: 'GET /v1/models/{id}',
  scopes: ['read'],
  async run(call, { services }) {
    call.query.finish()
    const model = services.models.find(call.id)
    if (!model)
      throw new ModelUnavailableError({ message: 'No model, or more than one, goes by that name.', reason: 'UNKNOWN' })
    const view = await describeModel(services, call, model)
    await call.answer(200, view)
  },
}

export const MODELS_ENDPOINTS: readonly Endpoint[] = [list, read]

/** `created` is there for clients that need a number: when a model was made is not known. */
async function describeModel(
  { models, currency }: Pick<Services, 'models' | 'currency'>,
  { viewer }: RestCall,
  model: Model,
) {
  const reason = await models.unavailableReason(viewer, model)
  const { state, retiresAt, replacement, note } = model.lifecycle
  return {
    id: model.id,
    object: 'model',
    created: 0,
    owned_by: model.provider,
    name: model.name,
    description: model.description,
    aliases: model.aliases.map(({ name }) => name),
    available: reason === null,
    unavailable_reason: reason,
    lifecycle: { state: state.toLowerCase(), retires_at: toTime(retiresAt), replacement, note },
    capabilities: describeCapabilities(model),
    prices: model.prices.map((price) => describePrice(currency, price)),
  }
}

/** In the names and words of requests. */
function describeCapabilities({ capabilities }: Model): Readonly<Record<string, unknown>> {
  const entries = Object.entries(capabilities).map(([name, value]) => [CAPABILITIES[name] ?? paramOf(name, ''), value])
  const words = (list: readonly string[]) => list.map((word) => word.toLowerCase())
  const { outputFormats, backgrounds, width, height } = capabilities
  return {
    ...Object.fromEntries(entries),
    width: width && describeRange(width),
    height: height && describeRange(height),
    output_formats: words(outputFormats),
    backgrounds: words(backgrounds),
  }
}

function describeRange({ min, max, multipleOf }: SizeRange) {
  return { min, max, multiple_of: multipleOf }
}

const CAPABILITIES: Readonly<Record<string, string>> = { maxCount: 'max_n', maxPreviews: 'max_partial_images' }

const ONE = { numerator: 1n, denominator: 1n }

function describePrice(
  { toMoney, usdToMicros }: Services['currency'],
  { unit, size, quality, usd, asOf, source }: PriceRule,
) {
  return { unit: unit.toLowerCase(), size, quality, ...toMoney(usdToMicros(usd, ONE)), as_of: toTime(asOf), source }
}
