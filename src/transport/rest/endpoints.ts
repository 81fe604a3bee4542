import type { Endpoint } from './endpoint.ts'
import { GENERATIONS_ENDPOINTS } from './generations-endpoint.ts'
import { HISTORY_ENDPOINTS } from './history-endpoint.ts'
import { IMAGES_ENDPOINTS } from './images-endpoint.ts'
import { MODELS_ENDPOINTS } from './models-endpoint.ts'
import { TOKENS_ENDPOINTS } from './tokens-endpoint.ts'

/** All that answers under `/v1`. Each is as fixed as a known operation: nobody composes anything here. */
export const ENDPOINTS: readonly Endpoint[] = [
  ...IMAGES_ENDPOINTS,
  ...GENERATIONS_ENDPOINTS,
  ...HISTORY_ENDPOINTS,
  ...MODELS_ENDPOINTS,
  ...TOKENS_ENDPOINTS,
]
