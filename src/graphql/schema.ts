import type { GraphQLSchema } from 'graphql'
import { registerAccessToken } from './access-token.ts'
import { registerAccount } from './account.ts'
import { registerApiKey } from './api-key.ts'
import { registerAttempt } from './attempt.ts'
import { type Builder, createBuilder } from './builder.ts'
import { registerCancelGeneration } from './cancel-generation.ts'
import { registerDeleteGeneration } from './delete-generation.ts'
import { registerErrors } from './errors.ts'
import { registerEstimateCost } from './estimate-cost.ts'
import { registerGenerateImage } from './generate-image.ts'
import { registerGenerateImageInput } from './generate-image-input.ts'
import { registerGeneration } from './generation.ts'
import { registerGenerationParts } from './generation-parts.ts'
import { registerHistory } from './history.ts'
import { registerImage } from './image.ts'
import { registerModel } from './model.ts'
import { registerModelCapabilities } from './model-capabilities.ts'
import { registerMoney } from './money.ts'
import { registerNode } from './node.ts'
import { registerPrice } from './price.ts'
import { registerProblem } from './problem.ts'
import { registerProvider } from './provider.ts'
import { registerProviderKey } from './provider-key.ts'
import { registerScalars } from './scalars.ts'
import { registerStatusEvent } from './status-event.ts'
import { registerUploadImage } from './upload-image.ts'
import { registerUsage } from './usage.ts'
import { registerWatch } from './watch.ts'
import { registerWebhookDelivery } from './webhook-delivery.ts'
import { registerWebhookEndpoint } from './webhook-endpoint.ts'

const NOUNS: readonly ((builder: Builder) => void)[] = [
  registerScalars,
  registerNode,
  registerErrors,
  registerMoney,
  registerProblem,
  registerGeneration,
  registerGenerationParts,
  registerGenerateImageInput,
  registerGenerateImage,
  registerCancelGeneration,
  registerDeleteGeneration,
  registerEstimateCost,
  registerImage,
  registerUploadImage,
  registerAttempt,
  registerStatusEvent,
  registerWatch,
  registerHistory,
  registerUsage,
  registerModel,
  registerModelCapabilities,
  registerPrice,
  registerProvider,
  registerAccount,
  registerApiKey,
  registerProviderKey,
  registerAccessToken,
  registerWebhookEndpoint,
  registerWebhookDelivery,
]

/** The whole schema, sorted. Holds no state: everything that it uses comes with the context of an operation. */
export function createSchema(): GraphQLSchema {
  const builder = createBuilder()
  builder.queryType({ description: 'What can be asked. Nothing here changes anything.' })
  builder.mutationType({ description: 'What can be done. Expected failures are members of the result.' })
  builder.subscriptionType({ description: 'What can be watched, over WebSocket or SSE.' })
  for (const register of NOUNS) register(builder)
  return builder.toSchema()
}
