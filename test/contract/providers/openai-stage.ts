import { onTestFinished } from 'vitest'
import { createOpenaiProvider } from '../../../src/providers/openai/openai-provider.ts'
import type { ReferenceImage } from '../../../src/providers/provider.ts'
import type { VendorDeps } from '../../../src/providers/wire/vendor-deps.ts'
import { createOpenaiWire } from '../../support/wire/openai.ts'
import { makePicture, type PictureFormat } from '../../support/wire/pictures.ts'
import { createCall } from '../provider-contract.ts'
import { createProviderRequest, type RequestChanges, stageWire, wireDeps } from './wire-stage.ts'

/** The smallest area that the newer models make. */
const SIZE = { width: 1024, height: 640 }

/** A call of the newest model, and the vendor that gets it, until the test is over. */
export async function stageOpenai(
  changes: RequestChanges = {},
  modes: readonly string[] = [],
  deps: Partial<VendorDeps> = {},
) {
  const request = createProviderRequest({
    modelName: 'gpt-image-2.6-flare',
    ...changes,
    parameters: { ...SIZE, ...changes.parameters },
  })
  const provider = (origin: string) =>
    createOpenaiProvider({ ...wireDeps(origin), baseUrl: `${origin}/v1`, apiKey: null, ...deps })
  const { close, ...staged } = await stageWire({ vendor: createOpenaiWire, provider, request, modes })
  onTestFinished(close)
  const { call, log } = createCall()
  return { ...staged, call, log, generate: () => staged.provider.generate(request, call) }
}

export async function drawReference(format: PictureFormat, width: number, height: number): Promise<ReferenceImage> {
  return { bytes: await makePicture({ width, height, format }), mimeType: `image/${format}`, width, height }
}
