import { setTimeout as delay } from 'node:timers/promises'
import type { Graph } from './comfyui-graph.ts'
import { type EngineSockets, toMetadataFrame, toPreviewFrame } from './comfyui-sockets.ts'
import { makePicture } from './pictures.ts'
import type { WireMode } from './wire-mode.ts'

export type Run = {
  readonly id: string
  readonly clientId: string
  readonly graph: Graph
  readonly mode: WireMode
  interrupted: boolean
}

/** The one worker of a ComfyUI server with its queue and its history, both of which live in memory. */
export type EngineQueue = {
  readonly pending: Run[]
  running(): Run | undefined
  readonly history: ReadonlyMap<string, object>
  add(run: Run): void
  stop(): void
}

type Setting = { readonly sockets: EngineSockets; isReleased(): boolean }

export function createEngineQueue({ sockets, isReleased }: Setting): EngineQueue {
  const pending: Run[] = []
  const history = new Map<string, object>()
  let current: Run | undefined
  let isStopped = false

  async function work(): Promise<void> {
    for (let run = pending.shift(); run && !isStopped; run = pending.shift()) {
      current = run
      const entry = await execute(run)
      current = undefined
      if (entry) history.set(run.id, entry)
      tell(run, 'executing', { node: null, prompt_id: run.id })
    }
  }

  function tell(run: Run, type: string, data: object): void {
    if (!run.mode.settings.mute) sockets.send(run.clientId, { type, data })
  }

  /** Answers with the entry of the history; undefined: the server was started anew meanwhile. */
  async function execute(run: Run): Promise<object | undefined> {
    const { id, mode } = run
    tell(run, 'execution_start', { prompt_id: id, timestamp: 1 })
    tell(run, 'execution_cached', { nodes: [], prompt_id: id, timestamp: 1 })
    if (mode.settings.foreign) await tellOfOthers(sockets)
    await paint(run)
    while (mode.settings.held === 'job' && !isReleased() && !run.interrupted && !isStopped) await delay(1)
    if (mode.name === 'forgotten') {
      sockets.cut(run.clientId)
      return undefined
    }
    if (mode.name === 'interrupted' || run.interrupted) {
      return ended(run, ['execution_interrupted', { prompt_id: id, node_id: '3', node_type: 'KSampler', executed: [] }])
    }
    if (mode.name.startsWith('failed')) return ended(run, ['execution_error', { ...EXECUTION_ERROR, prompt_id: id }])
    tell(run, 'execution_success', { prompt_id: id, timestamp: 2 })
    const { images } = outputOf(run)
    tell(run, 'executed', { node: '9', display_node: '9', output: { images }, prompt_id: id })
    return entryOf(run, {
      status_str: 'success',
      completed: true,
      messages: [['execution_success', { prompt_id: id }]],
    })
  }

  function ended(run: Run, message: readonly [string, object]): object {
    tell(run, ...message)
    const messages = run.mode.name === 'failed_mute' ? [] : [['execution_start', {}], message]
    return entryOf(run, { status_str: 'error', completed: false, messages })
  }

  async function paint(run: Run): Promise<void> {
    const { id, clientId, mode } = run
    const steps = mode.number('steps') ?? 4
    for (let step = 1; step <= steps; step++) {
      const state = { value: step, max: steps, state: step === steps ? 'finished' : 'running', node_id: '3' }
      tell(run, 'executing', { node: '3', display_node: '3', prompt_id: id })
      tell(run, 'progress', { value: step, max: steps, prompt_id: id, node: '3' })
      const isOld = mode.settings.age === 'old'
      if (!isOld)
        tell(run, 'progress_state', { prompt_id: id, nodes: { 3: state, 6: { value: 1, max: 1, state: 'finished' } } })
      const picture = await makePicture({ width: 16, height: 16, format: 'jpeg', index: step })
      const metadata = { node_id: '3', prompt_id: id, display_node_id: '3', image_type: 'image/jpeg' }
      const hasMetadata = !isOld && sockets.readsMetadata(clientId)
      if (!mode.settings.mute) {
        sockets.send(clientId, hasMetadata ? toMetadataFrame(picture, metadata) : toPreviewFrame(picture))
      }
      await sockets.flush(clientId)
      if (step === 1 && mode.settings.cut) sockets.cut(clientId)
      if (step === 1 && mode.settings.cut === 'return') await sockets.untilOpen(clientId)
      if (run.interrupted || isStopped || (step === 1 && mode.name.startsWith('failed'))) return
    }
  }

  return {
    pending,
    history,
    running: () => current,
    add(run) {
      pending.push(run)
      if (!current) setImmediate(() => void (current ?? work()))
    },
    stop() {
      isStopped = true
    },
  }
}

const EXECUTION_ERROR = {
  node_id: '3',
  node_type: 'KSampler',
  executed: ['4', '6'],
  exception_type: 'torch.OutOfMemoryError',
  exception_message: 'Allocation on device\nThis is where the path of a file stands.',
  traceback: ['  File "/opt/ComfyUI/execution.py", line 1\n'],
  current_inputs: {},
  current_outputs: ['4'],
}

/** What another client of the same engine is shown, sent to everybody. */
async function tellOfOthers(sockets: EngineSockets): Promise<void> {
  const picture = await makePicture({ width: 32, height: 32, format: 'png', index: 9 })
  const prompt_id = 'somebody-elses'
  const tell = (type: string, data: object) => sockets.broadcast({ type, data: { ...data, prompt_id } })
  tell('execution_start', { timestamp: 1 })
  tell('progress', { value: 19, max: 20, node: '3' })
  sockets.broadcast(toPreviewFrame(picture))
  sockets.broadcast(toMetadataFrame(picture, { node_id: '3', prompt_id }))
  tell('execution_error', EXECUTION_ERROR)
  tell('executing', { node: null })
  sockets.broadcast({ type: 'notification', data: { value: 'Something that nobody here knows.' } })
  sockets.broadcast(Buffer.from([0, 0, 0, 3, 0, 0, 0, 1, 0x39, 0x39]))
}

function entryOf(run: Run, status: object): object {
  const isEmpty = run.interrupted || ['no_images', 'failed', 'failed_mute', 'interrupted'].includes(run.mode.name)
  const outputs = isEmpty ? {} : { 9: outputOf(run), 12: { text: ['of another kind'] } }
  return { prompt: [1, run.id, run.graph, {}, ['9']], outputs, status, meta: {} }
}

/** `images=1`: fewer than asked. */
function outputOf({ id, graph, mode }: Run) {
  const batch = Object.values(graph).find((node) => node.class_type === 'EmptyLatentImage')?.inputs.batch_size
  const count = mode.number('images') ?? Number(batch ?? 1)
  const type = mode.settings.type ?? 'output'
  return {
    images: Array.from({ length: count }, (_, index) => ({ filename: `${id}_${index}_.png`, subfolder: 'a b', type })),
  }
}
