import { describe, expect, it } from 'vitest'
import { RequestError } from '../../../../src/errors.ts'
import type { ToolCall } from '../../../../src/transport/mcp/tool.ts'
import { cancelGeneration } from '../../../../src/transport/mcp/tools/cancel-generation.ts'
import { estimateCost } from '../../../../src/transport/mcp/tools/estimate-cost.ts'
import { generateImage } from '../../../../src/transport/mcp/tools/generate-image.ts'
import { viewerOf } from '../../../support/house.ts'
import { createFakeWorld } from '../../graphql/fake-world.ts'

const NEVER = new Promise<never>(() => undefined)
const LATE = new RequestError('UNAVAILABLE', 'The call took too long.')

describe('a tool whose work does not come to an end', () => {
  it.each([
    [generateImage, { prompt: 'a red fox', idempotency_key: 'one' }],
    [estimateCost, { prompt: 'a red fox' }],
    [cancelGeneration, { id: 'gen_1' }],
  ])('gives it up in time and lets go of its place: $name', async (tool, args) => {
    let released = 0
    const { services } = createFakeWorld().context()
    const stuck = { ...services.generations, create: () => NEVER, estimate: () => NEVER, cancel: () => NEVER }
    const call: ToolCall = {
      viewer: viewerOf('acc_1'),
      services: { ...services, generations: stuck },
      inTime: () => Promise.reject(LATE),
      startWait: async () => ({
        untilEnd: () => NEVER,
        release: () => {
          released += 1
        },
      }),
    }
    await expect(tool.run(args, call)).rejects.toBe(LATE)
    expect(released).toBe(tool === generateImage ? 1 : 0)
  })
})
