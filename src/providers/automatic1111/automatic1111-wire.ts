import type { EngineRejection } from '../wire/engine-http.ts'
import {
  isRecord,
  type JsonRecord,
  parseJson,
  readDetail,
  readList,
  readNumber,
  readRecord,
  readRecords,
  readText,
} from '../wire/json-values.ts'

/** What the `/sdapi/v1` of AUTOMATIC1111 and Forge answers, as far as it is read here. */

export type PaintedImages = {
  /** Base64, of `count` images at most. */
  readonly images: readonly unknown[]
  readonly seeds: readonly (number | null)[]
}

export type TaskProgress = {
  /** Whose progress it is: the server tells of whatever runs. null: of nobody's, or it does not say. */
  readonly task: string | null
  /** 0 to 1. */
  readonly progress: number | null
  /** Which of several rounds, from 0. */
  readonly round: number
  readonly isInterrupted: boolean
  /** Base64. */
  readonly picture: string | null
}

/**
 * undefined: it is no answer of such a server. With a server-wide option the pictures begin with a grid of all of them,
 * which is more than was asked for; `index_of_first_image` tells where they begin (from memory, unverified).
 */
export function readPainted(json: unknown, count: number): PaintedImages | undefined {
  if (!isRecord(json) || !Array.isArray(json.images) || json.images.length === 0) return undefined
  const info = readInfo(json.info)
  const first = readNumber(info.index_of_first_image) ?? Math.max(0, json.images.length - count)
  const images = json.images.slice(first, first + count)
  const seeds = readList(info.all_seeds)
  return { images, seeds: images.map((_, index) => readNumber(seeds[index])) }
}

export function readProgress(json: unknown): TaskProgress | undefined {
  if (!isRecord(json)) return undefined
  const state = readRecord(json.state)
  return {
    task: readText(json.current_task),
    progress: readNumber(json.progress),
    round: readNumber(state?.job_no) ?? 0,
    isInterrupted: state?.interrupted === true,
    picture: readText(json.current_image),
  }
}

/** FastAPI's `{detail}`, or the server's own `{error, detail, body, errors}`, of which `body` repeats the request. */
export function readRejection(json: unknown): EngineRejection {
  const body = readRecord(json)
  return { code: readText(body?.error), words: readText(body?.errors) ?? readDetail(json) }
}

export function readCheckpoints(json: unknown): readonly string[] | undefined {
  if (!Array.isArray(json)) return undefined
  return readRecords(json).flatMap((each) => readText(each.model_name) ?? readText(each.title) ?? [])
}

/** A text that holds JSON. */
function readInfo(info: unknown): JsonRecord {
  return readRecord(typeof info === 'string' ? parseJson(info) : info) ?? {}
}
