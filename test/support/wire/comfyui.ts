import { randomUUID } from 'node:crypto'
import { failed, findGraphFault, type Graph } from './comfyui-graph.ts'
import { createEngineQueue, type EngineQueue, type Run } from './comfyui-queue.ts'
import { createEngineSockets } from './comfyui-sockets.ts'
import { showPicture } from './picture-host.ts'
import { makePicture } from './pictures.ts'
import type { WireMode } from './wire-mode.ts'
import type { WireReply } from './wire-reply.ts'
import type { WireRequest, WireSetting, WireVendor } from './wire-server.ts'

/**
 * A ComfyUI server as ComfyUI's documentation (Comfy-Org/docs) states it: one worker, a queue and a history in memory,
 * sockets by client id. Modes of a submission, beside those of every vendor: `invalid` (a node is not right),
 * `no_outputs`, `elsewhere` (404), `unauthorized` (of a proxy), `unavailable`, `server_error`. Of a run: `failed`,
 * `failed_mute` (the history has no words for it), `failed_late images=1` (after a picture), `interrupted`, `forgotten`
 * (the server was started anew), `no_images`, `lost_file`, `broken` (half a picture). With any of them: `held=job`,
 * `steps=4`, `images=1` (fewer than asked), `type=temp`, `age=old` (takes no `prompt_id`, previews of the older kind),
 * `foreign=1` (tells of other people's runs), `cut=1` (the socket dies after one step), `cut=return` (and the run waits
 * for it to come back), `mute=1` (nothing comes over the socket), `flaky=2` (fetching a picture answers 503 first).
 */
export function createComfyuiWire(
  { isReleased }: WireSetting,
  options: { readonly refusesSockets?: boolean; onSocketClose?(code: number): void } = {},
): WireVendor {
  const onClose = options.onSocketClose ?? (() => undefined)
  const sockets = createEngineSockets({ refuses: options.refusesSockets ?? false, onClose })
  const queue = createEngineQueue({ sockets, isReleased })
  const engine: Engine = { queue, files: new Set(['example.png']), runs: new Map() }
  return {
    isBillable: ({ method, path }) => method === 'POST' && path === '/prompt',
    handle(request, mode) {
      const { method, path } = request
      const route = ROUTES[`${method} ${path}`] ?? (path.startsWith('/history/') ? history : undefined)
      return route ? route(request, mode, engine) : { status: 404, body: '404: Not Found' }
    },
    upgrade: sockets.upgrade,
    close() {
      queue.stop()
      sockets.close()
    },
  }
}

type Engine = {
  readonly queue: EngineQueue
  /** In the input folder. */
  readonly files: Set<string>
  readonly runs: Map<string, Run & { views: number }>
}

type Route = (request: WireRequest, mode: WireMode, engine: Engine) => WireReply | Promise<WireReply>

const FIELDS = ['prompt', 'client_id', 'prompt_id', 'extra_data', 'front', 'number', 'partial_execution_targets']

const submit: Route = ({ json, headers }, mode, { queue, files, runs }) => {
  const refusal = SUBMIT_FAILURES[mode.name]
  if (refusal) return refusal
  const body = json as Readonly<Record<string, unknown>>
  const unknown = Object.keys(body ?? {}).find((key) => !FIELDS.includes(key))
  if (unknown !== undefined || headers['content-type'] !== 'application/json')
    return { status: 400, body: failed('invalid_prompt', `Not what is sent here: ${unknown}`) }
  const fault = findGraphFault(body?.prompt, files)
  if (fault) return { status: 400, body: fault }
  const isOld = mode.settings.age === 'old'
  const id = isOld || body.prompt_id === undefined ? randomUUID() : String(body.prompt_id)
  if (runs.has(id)) return { status: 400, body: failed('invalid_prompt', 'This prompt_id was used before.') }
  const run = { id, clientId: String(body.client_id), graph: body.prompt as Graph, mode, interrupted: false, views: 0 }
  runs.set(id, run)
  queue.add(run)
  return { body: { prompt_id: id, number: runs.size, node_errors: {}, extra: null } }
}

const SUBMIT_FAILURES: Readonly<Record<string, WireReply>> = {
  invalid: {
    status: 400,
    body: failed('prompt_outputs_failed_validation', 'Prompt outputs failed validation', {
      4: {
        errors: [{ type: 'value_not_in_list', message: 'Value not in list', details: "ckpt_name: 'gone.safetensors'" }],
        class_type: 'CheckpointLoaderSimple',
        dependent_outputs: ['9'],
      },
    }),
  },
  no_outputs: { status: 400, body: failed('prompt_no_outputs', 'Prompt has no outputs') },
  elsewhere: { status: 404, body: '404: Not Found' },
  unauthorized: { status: 401, body: 'Unauthorized' },
  unavailable: { status: 503, body: 'Service Unavailable' },
  server_error: { status: 500, body: '500 Internal Server Error' },
}

const history: Route = ({ path }, _mode, { queue }) => {
  const id = decodeURIComponent(path.slice('/history/'.length))
  const entry = queue.history.get(id)
  return { body: entry ? { [id]: entry } : {} }
}

const view: Route = async ({ query }, _mode, { runs }) => {
  const [, id = '', index] = /^(.+)_(\d+)_\.png$/.exec(query.get('filename') ?? '') ?? []
  const run = runs.get(id)
  if (!run || query.get('subfolder') !== 'a b' || run.mode.name === 'lost_file') return { status: 404, body: '' }
  run.views += 1
  if (run.views <= (run.mode.number('flaky') ?? 0)) return { status: 503, body: '' }
  const latent = Object.values(run.graph).find((node) => node.class_type === 'EmptyLatentImage')?.inputs
  const size = { width: Number(latent?.width ?? 64), height: Number(latent?.height ?? 64) }
  const bytes = await makePicture({ ...size, index: Number(index) })
  return showPicture(bytes, 'png', run.mode)
}

const showQueue: Route = (_request, _mode, { queue }) => {
  const toEntry = ({ id, graph }: Run, number: number) => [number, id, graph, {}, ['9']]
  const running = queue.running()
  return { body: { queue_running: running ? [toEntry(running, 0)] : [], queue_pending: queue.pending.map(toEntry) } }
}

const changeQueue: Route = ({ json }, _mode, { queue }) => {
  const { delete: ids = [] } = json as { delete?: readonly string[] }
  for (const id of ids) {
    const place = queue.pending.findIndex((run) => run.id === id)
    if (place >= 0) queue.pending.splice(place, 1)
  }
  return { body: '' }
}

/** An old server stops whatever runs. */
const interrupt: Route = ({ json }, _mode, { queue }) => {
  const { prompt_id: id } = json as { prompt_id?: string }
  const running = queue.running()
  if (running && (id === undefined || id === running.id || running.mode.settings.age === 'old'))
    running.interrupted = true
  return { body: '' }
}

const upload: Route = async ({ form }, _mode, { files }) => {
  const fields = await form()
  const image = fields.get('image')
  if (!(image instanceof File) || image.size === 0) return { status: 400, body: '' }
  const isThere = files.has(`refs/${image.name}`) && fields.get('overwrite') !== 'true'
  const name = isThere ? image.name.replace('.', ' (1).') : image.name
  files.add(`refs/${name}`)
  return { body: { name, subfolder: 'refs', type: fields.get('type') ?? 'input' } }
}

const ROUTES: Readonly<Record<string, Route>> = {
  'POST /prompt': submit,
  'GET /view': view,
  'GET /queue': showQueue,
  'POST /queue': changeQueue,
  'POST /interrupt': interrupt,
  'POST /upload/image': upload,
}
