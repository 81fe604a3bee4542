import type { ImageProvider, ProviderCall, ProviderOutput, ProviderReference, ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { authorizationOf } from '../wire/authorization.ts'
import { assertWanted } from '../wire/call-failures.ts'
import type { EngineAccess } from '../wire/engine-http.ts'
import { takenJobs } from '../wire/submitted-jobs.ts'
import { billsNobody } from '../wire/unbilled.ts'
import type { EngineDeps } from '../wire/vendor-deps.ts'
import { readBeforeSending } from '../wire/wire-fault.ts'
import { createComfyuiEngine } from './comfyui-engine.ts'
import { assertFits, type Uploaded } from './comfyui-graph.ts'
import { runGraphs } from './comfyui-runs.ts'
import { readTemplate } from './comfyui-template.ts'

/**
 * ComfyUI: a graph goes into its queue, is followed over a socket and by looking, and its pictures are fetched. A run
 * that is lost with the engine's memory is not sent again, although nobody bills for it: it may have been made. A key is
 * for a proxy that stands before the engine, which has none of its own.
 */
export function createComfyuiProvider(deps: EngineDeps): ImageProvider {
  const { id, name, clock, baseUrl } = deps
  const engine = createComfyuiEngine(deps)

  async function run(
    request: ProviderRequest,
    call: ProviderCall,
    reference: ProviderReference | null,
  ): Promise<ProviderOutput> {
    const template = readBeforeSending(name, () => readTemplate(request.wire))
    const access = accessOf(call)
    const upload = createUpload(request, access)
    if (reference === null) {
      readBeforeSending(name, () => assertFits(template, request))
      assertWanted(call.signal, false)
      await upload()
    }
    return runGraphs({ name, clock, engine, baseUrl }, { request, call, reference, template, access, upload })
  }

  /** Before anything is submitted; a resumed call does it only where something is left to submit. */
  function createUpload(request: ProviderRequest, access: EngineAccess) {
    let uploaded: Promise<Uploaded> | undefined
    return () => {
      uploaded ??= uploadAll(request, access)
      return uploaded
    }
  }

  async function uploadAll({ referenceImages, mask }: ProviderRequest, access: EngineAccess): Promise<Uploaded> {
    try {
      const names: string[] = []
      for (const image of referenceImages) names.push(await engine.upload(image, access))
      return { referenceImages: names, mask: mask === null ? null : await engine.upload(mask, access) }
    } catch (error) {
      throw error instanceof ProviderError ? asNothingSent(error) : error
    }
  }

  function accessOf({ apiKey, signal }: Pick<ProviderCall, 'apiKey' | 'signal'>): EngineAccess {
    return { headers: authorizationOf(deps.apiKey, apiKey), signal }
  }

  return billsNobody({
    id,
    name,
    keyed: false,
    configured: true,
    // It works on one run at a time: the second waits in its queue, so that it need not wait for us.
    limits: { concurrency: 2 },
    generate: (request, call) => run(request, call, null),
    resume: (reference, request, call) => run(request, call, reference),
    async cancel(reference, ending) {
      const access = accessOf(ending)
      const promptIds = takenJobs(reference).map((job) => job.id)
      await engine.removeWaiting(promptIds, access)
      for (const promptId of promptIds) {
        // Whatever runs would be stopped by a server that does not know whose it is asked to stop.
        if ((await engine.findInQueue(promptId, access)) === 'RUNNING') await engine.interrupt(promptId, access)
      }
    },
  })
}

/** An upload is no request for images. */
function asNothingSent({ kind, message, retryAfterMs, providerCode, cause }: ProviderError): ProviderError {
  return new ProviderError({ kind, delivery: 'NOT_SENT', message, retryAfterMs, providerCode, cause })
}
