import { createServer } from 'node:net'
import { onTestFinished } from 'vitest'
import { type Clock, createSystemClock } from '../../../src/clock.ts'
import { createOutboundFetch } from '../../../src/outbound/outbound-fetch.ts'
import type { GenerationParameters } from '../../../src/providers/model.ts'
import type { ImageProvider, ProviderRequest } from '../../../src/providers/provider.ts'
import { createVendorFetch } from '../../../src/providers/wire/vendor-fetch.ts'
import { startWireServer, type WireServer, type WireSetting, type WireVendor } from '../../support/wire/wire-server.ts'
import type { ProviderStage } from '../provider-contract.ts'

export const NO_PARAMETERS: GenerationParameters = {
  width: null,
  height: null,
  aspectRatio: null,
  quality: null,
  style: null,
  background: null,
  outputFormat: null,
  outputCompression: null,
  seed: null,
  guidanceScale: null,
  enhancePrompt: null,
  watermark: null,
  referenceImages: 0,
  providerOptions: null,
}

export type RequestChanges = Partial<Omit<ProviderRequest, 'parameters'>> & {
  readonly parameters?: Partial<GenerationParameters>
}

export function createProviderRequest(changes: RequestChanges): ProviderRequest {
  return {
    modelName: 'model',
    wire: {},
    prompt: 'a red fox in snow',
    negativePrompt: null,
    count: 1,
    referenceImages: [],
    mask: null,
    previews: 0,
    ...changes,
    parameters: { ...NO_PARAMETERS, ...changes.parameters },
  }
}

/** Pauses between two looks, of up to `longestMs`, pass at once; time limits stay what they are. */
export function createHurriedClock(longestMs = 5_000): Clock {
  const clock = createSystemClock()
  return { ...clock, sleep: (ms, signal) => clock.sleep(ms <= longestMs ? Math.min(ms, 2) : ms, signal) }
}

/** What every adapter is given, with its vendor on this machine. */
export function wireDeps(baseUrl: string) {
  const clock = createHurriedClock()
  return {
    clock,
    fetch: createVendorFetch(),
    fetchOutbound: createOutboundFetch({ clock, trustedBaseUrl: baseUrl }),
    baseUrl,
  }
}

export type WireStage = ProviderStage & { readonly wire: WireServer; close(): Promise<void> }

type Cast = {
  readonly vendor: (setting: WireSetting) => WireVendor
  readonly provider: (origin: string) => ImageProvider
  /** Billable calls that the request comes to; missing: one. */
  readonly calls?: number
}

/** A provider with its vendor's wire server, which answers the first requests in these modes. */
export async function stageWire(
  given: Cast & { readonly request: ProviderRequest; readonly modes?: readonly string[] },
): Promise<WireStage> {
  const wire = await startWireServer(given.vendor)
  wire.script(...(given.modes ?? []))
  const provider = given.provider(wire.origin)
  return {
    provider,
    request: given.request,
    wire,
    calls: given.calls ?? 1,
    ...(provider.resume && { restart: () => given.provider(wire.origin) }),
    close: wire.close,
  }
}

/** The stages of one provider's tests. `request` completes what a test wants of its own. */
export function createStaging(
  given: Omit<Cast, 'calls'> & {
    request(changes: RequestChanges): ProviderRequest
    calls?(request: ProviderRequest): number
  },
) {
  const stage = (modes: readonly string[], changes: RequestChanges = {}, others: Partial<Cast> = {}) => {
    const request = given.request(changes)
    const { vendor, provider } = given
    return () => stageWire({ vendor, provider, calls: given.calls?.(request) ?? 1, ...others, request, modes })
  }
  return {
    stage,
    arrange: (mode: string) => stage([mode]),
    nobody: () => stageNobody(given.provider, given.request({})),
    /** Until the test is over. */
    async open(modes: string | readonly string[], changes: RequestChanges = {}, others: Partial<Cast> = {}) {
      const staged = await stage(typeof modes === 'string' ? [modes] : modes, changes, others)()
      onTestFinished(staged.close)
      return staged
    },
  }
}

/** The same provider where nothing listens. */
export async function stageNobody(
  provider: (origin: string) => ImageProvider,
  request: ProviderRequest,
): Promise<ProviderStage> {
  return { provider: provider(`http://127.0.0.1:${await findFreePort()}`), request }
}

function findFreePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
