import type { ImageProvider, ProviderCall, ProviderOutput, ProviderRequest, VendorAccess } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { authorizationOf } from '../wire/authorization.ts'
import { decodeBase64Image } from '../wire/base64-image.ts'
import { beginSending } from '../wire/begin-sending.ts'
import type { EngineAccess } from '../wire/engine-http.ts'
import { handOverEach } from '../wire/handing-over.ts'
import { billsNobody } from '../wire/unbilled.ts'
import type { EngineDeps } from '../wire/vendor-deps.ts'
import { readBeforeSending } from '../wire/wire-fault.ts'
import { createAutomatic1111Engine } from './automatic1111-engine.ts'
import { type Automatic1111Entry, readEntry } from './automatic1111-entry.ts'
import { createInterruption } from './automatic1111-failures.ts'
import { assertFits, buildOrder } from './automatic1111-request.ts'
import { watchTask } from './automatic1111-watch.ts'
import type { PaintedImages } from './automatic1111-wire.ts'

/**
 * AUTOMATIC1111 and Forge: one long request at a time, watched from beside it. What is cut off is lost. Its key is
 * `user:password` as `--api-auth` has it, or the token of a proxy.
 */
export function createAutomatic1111Provider(deps: EngineDeps): ImageProvider {
  const { id, name, clock } = deps
  const engine = createAutomatic1111Engine(deps)

  const accessOf = ({ apiKey, signal }: VendorAccess): EngineAccess => ({
    headers: authorizationOf(deps.apiKey, apiKey),
    signal,
  })

  async function generate(request: ProviderRequest, call: ProviderCall): Promise<ProviderOutput> {
    const entry = readBeforeSending(name, () => {
      assertFits(request)
      return readEntry(request.wire)
    })
    await beginSending(call)
    const painted = await paint(entry, request, call)
    const items = painted.images.map((data, index) => ({ data, seed: painted.seeds[index] ?? null }))
    const failures = await handOverEach({ items, count: request.count, call }, ({ data, seed }, index) => ({
      index,
      bytes: decodeBase64Image(name, data),
      seed,
      revisedPrompt: null,
    }))
    return { failures, usage: null, reportedUsdMicros: null, requestId: null }
  }

  async function paint(
    entry: Automatic1111Entry,
    request: ProviderRequest,
    call: ProviderCall,
  ): Promise<PaintedImages> {
    const taskId = `pictor-${call.attemptId}`
    const access = accessOf(call)
    const watch = watchTask({
      clock,
      taskId,
      call,
      previews: request.previews,
      // Of a batch that is painted at once the server shows one picture, which may be a grid of all of them.
      lastIndex: entry.batch === 'n_iter' ? request.count - 1 : 0,
      ask: (withPicture, signal) => engine.readTask(withPicture, { ...access, signal }),
    })
    try {
      const painted = await engine.paint(buildOrder(entry, request, taskId), request.count, access)
      if (watch.isInterrupted()) throw createInterruption(name)
      return painted
    } catch (error) {
      // Nobody can come for the result any more, so the server need not paint it.
      if (error instanceof ProviderError && error.delivery === 'UNKNOWN') await engine.stopTask(taskId, access.headers)
      throw error
    } finally {
      await watch.end()
    }
  }

  return billsNobody({
    id,
    name,
    keyed: false,
    configured: true,
    // A lock holds the whole server.
    limits: { concurrency: 1 },
    generate,
    async listModels(access) {
      const names = await engine.listCheckpoints(accessOf(access))
      return names.map((each) => ({ name: each, shutsDownAt: null }))
    },
  })
}
