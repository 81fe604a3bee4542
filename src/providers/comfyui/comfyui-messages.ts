import { isRecord, type JsonRecord, parseJson, readNumber, readRecord, readText } from '../wire/json-values.ts'
import { type RunFailure, readFailure } from './comfyui-wire.ts'

/** Who listens for what becomes of one run. */
export type RunListener = {
  onSteps(node: string, value: number, max: number): void
  onPreview(bytes: Uint8Array): void
  /** As good as over: its history is worth a look. */
  onEnding(failure: RunFailure | null): void
}

export type MessageRouter = (data: Buffer, isBinary: boolean) => void

/**
 * Hands what comes over a socket to the run that it is about. A server may send what other people's runs do as well
 * (Comfy Cloud sends all of an account's): what names a run that is not ours is for nobody. Previews of the older kind
 * name none and belong to the run that was spoken of last. Never throws.
 */
export function createMessageRouter(listenerOf: (promptId: string) => RunListener | undefined): MessageRouter {
  let current: string | null = null

  function route(message: unknown): void {
    const { type, data } = readRecord(message) ?? {}
    if (!isRecord(data)) return
    const promptId = readText(data.prompt_id)
    if (promptId !== null) current = promptId
    const listener = promptId === null ? undefined : listenerOf(promptId)
    if (listener) tell(listener, type, data)
  }

  return (bytes, isBinary) => {
    if (!isBinary) return route(parseJson(bytes.toString('utf8')))
    const preview = readPreview(bytes)
    const promptId = preview?.promptId ?? current
    if (preview && promptId !== null) listenerOf(promptId)?.onPreview(preview.picture)
  }
}

function tell(listener: RunListener, type: unknown, data: JsonRecord): void {
  switch (type) {
    case 'progress':
      tellSteps(listener, readText(data.node), data)
      return
    case 'progress_state':
      for (const [node, state] of Object.entries(readRecord(data.nodes) ?? {})) {
        if (isRecord(state)) tellSteps(listener, node, state)
      }
      return
    case 'executing':
      if (data.node === null) listener.onEnding(null)
      return
    case 'execution_success':
      listener.onEnding(null)
      return
    default: {
      const failure = readFailure(type, data)
      if (failure) listener.onEnding(failure)
    }
  }
}

function tellSteps(listener: RunListener, node: string | null, { value, max }: JsonRecord): void {
  const [done, all] = [readNumber(value), readNumber(max)]
  if (node !== null && done !== null && all !== null && all > 0) listener.onSteps(node, done, all)
}

const PREVIEW = 1
const PREVIEW_WITH_METADATA = 4
/** A preview has a side of a few hundred pixels. */
const MAX_PREVIEW_BYTES = 4 * 1024 * 1024

type Preview = { readonly promptId: string | null; readonly picture: Uint8Array }

/**
 * Big-endian: u32 type; of type 1 a u32 format and the picture, of type 4 a u32 length, as much JSON, and the picture.
 * The keys of that JSON are from memory (unverified). What is neither JPEG nor PNG, or too large, is left out.
 */
function readPreview(frame: Buffer): Preview | undefined {
  if (frame.length < 8) return undefined
  const second = frame.readUInt32BE(4)
  switch (frame.readUInt32BE(0)) {
    case PREVIEW:
      return toPreview(null, frame.subarray(8))
    case PREVIEW_WITH_METADATA: {
      const metadata = readRecord(parseJson(frame.toString('utf8', 8, 8 + second)))
      return toPreview(readText(metadata?.prompt_id), frame.subarray(8 + second))
    }
    default:
      return undefined
  }
}

function toPreview(promptId: string | null, picture: Buffer): Preview | undefined {
  const isPicture = SIGNATURES.some((start) => picture.subarray(0, start.length).equals(start))
  return isPicture && picture.length <= MAX_PREVIEW_BYTES ? { promptId, picture } : undefined
}

const SIGNATURES = [Buffer.from([0xff, 0xd8, 0xff]), Buffer.from([0x89, 0x50, 0x4e, 0x47])]
