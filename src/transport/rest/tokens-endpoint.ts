import { readFields } from './body.ts'
import type { Endpoint } from './endpoint.ts'
import { openFields } from './fields.ts'
import { toTime } from './generation-view.ts'

const DEFAULT_SECONDS = 900

/** An API key in, a short-lived token for a browser out. */
const create: Endpoint = {
  method: 'POST',
  path: /^\/v1\/tokens$/,
  name: 'POST /v1/tokens',
  scopes: ['generate', 'admin'],
  async run(call, { services, limits, clock }) {
    call.query.finish()
    const fields = openFields(await readFields(call, 'json', limits))
    const input = {
      endUser: fields.text('user'),
      expiresInSeconds: fields.integer('expires_in_seconds') ?? DEFAULT_SECONDS,
      scopes: fields.texts('scopes'),
      models: fields.texts('models'),
      maxSpend: fields.decimal('max_spend'),
    }
    fields.finish()
    const { accessToken, expiresAt } = await services.accounts.createToken(call.viewer, input)
    const expiresIn = Math.max(0, Math.floor((expiresAt - clock.now()) / 1000))
    await call.answer(200, {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: expiresIn,
      expires_at: toTime(expiresAt),
    })
  },
}

export const TOKENS_ENDPOINTS: readonly Endpoint[] = [create]
