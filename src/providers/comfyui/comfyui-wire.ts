import type { EngineRejection } from '../wire/engine-http.ts'
import { isRecord, type JsonRecord, readList, readRecord, readRecords, readText } from '../wire/json-values.ts'

/**
 * What a ComfyUI server answers, as far as it is read here. Of memory and unverified: the shapes of a queue entry, of a
 * node error, of the messages in a history entry, and of the answer to an upload.
 */

/** A picture as `/view` is asked for it. */
export type StoredPicture = { readonly filename: string; readonly subfolder: string; readonly type: string }

/** How a run ended. One that failed may have saved pictures before. */
export type RunEnding = {
  readonly pictures: readonly (StoredPicture & { readonly node: string })[]
  /** null: it came to its end. */
  readonly failure: RunFailure | null
}

/** `code` null: the engine does not say. */
export type RunFailure = {
  readonly what: 'FAILED' | 'INTERRUPTED'
  readonly code: string | null
  readonly words: string | null
}

export const UNEXPLAINED: RunFailure = { what: 'FAILED', code: null, words: null }

export function readPromptId(json: unknown): string | null {
  return readText(readRecord(json)?.prompt_id)
}

/** `{}` until the run has ended; undefined: it has not. An entry of any shape is the end of a run. */
export function readEnding(json: unknown, promptId: string): RunEnding | undefined {
  const entry = readRecord(readRecord(json)?.[promptId])
  if (entry === null) return undefined
  const status = readRecord(entry.status)
  const failure =
    status?.status_str === 'error' ? (readList(status.messages).map(readPair).find(Boolean) ?? UNEXPLAINED) : null
  return { pictures: readPictures(entry.outputs), failure }
}

/** Of a message on the socket, or in a history entry; undefined: it tells of no failure. */
export function readFailure(type: unknown, data: unknown): RunFailure | undefined {
  if (type === 'execution_interrupted') return { what: 'INTERRUPTED', code: type, words: null }
  if (type !== 'execution_error') return undefined
  if (!isRecord(data)) return UNEXPLAINED
  // The traceback below the first line is the operator's.
  const message = readText(data.exception_message)?.split('\n')[0]?.trim() ?? null
  const words = [readText(data.node_type), message].filter((part) => part !== null).join(': ')
  return { what: 'FAILED', code: readText(data.exception_type), words: readText(words) }
}

/** Where the job stands in the engine's queue; null: not in it. */
export function readPlaceInQueue(json: unknown, promptId: string): 'RUNNING' | 'PENDING' | null {
  const queue = readRecord(json)
  const holds = (list: unknown) => readList(list).some((entry) => isEntryOf(entry, promptId))
  if (holds(queue?.queue_running)) return 'RUNNING'
  return holds(queue?.queue_pending) ? 'PENDING' : null
}

/** The name under which a LoadImage node finds what was uploaded. */
export function readUploadedName(json: unknown): string | null {
  const file = readRecord(json)
  const [name, folder] = [readText(file?.name), readText(file?.subfolder)]
  return name !== null && folder !== null ? `${folder}/${name}` : name
}

/** `{error: {type, message, details}, node_errors: {id: {errors: [{message, details}], class_type}}}` */
export function readRejection(json: unknown): EngineRejection {
  if (!isRecord(json)) return { code: null, words: null }
  const error = readRecord(json.error)
  const ofNodes = readRecords(Object.values(readRecord(json.node_errors) ?? {})).flatMap((node) =>
    readRecords(node.errors).map((each) => describe(node.class_type, each)),
  )
  const words = [readText(error?.message) ?? readText(json.error), ...ofNodes].filter((part) => part !== null)
  return { code: readText(error?.type), words: readText(words.join(' ')) }
}

function describe(classType: unknown, { message, details }: JsonRecord): string {
  const where = readText(details)?.slice(0, 120) ?? null
  return `${readText(classType) ?? 'A node'}: ${readText(message) ?? 'is not right'}${where === null ? '' : ` (${where})`}.`
}

function readPictures(outputs: unknown): RunEnding['pictures'] {
  return Object.entries(readRecord(outputs) ?? {}).flatMap(([node, output]) =>
    readRecords(readRecord(output)?.images).flatMap(({ filename, subfolder, type }) =>
      typeof filename === 'string' && filename !== ''
        ? [{ node, filename, subfolder: readText(subfolder) ?? '', type: readText(type) ?? 'output' }]
        : [],
    ),
  )
}

/** `["execution_error", {…}]` */
function readPair(message: unknown): RunFailure | undefined {
  const [type, data] = readList(message)
  return readFailure(type, data)
}

/** `[number, prompt_id, graph, extra_data, outputs]` */
function isEntryOf(entry: unknown, promptId: string): boolean {
  return readList(entry).includes(promptId) || (isRecord(entry) && [entry.prompt_id, entry.id].includes(promptId))
}
