import { randomBytes } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'

/** Prefixes say what an id names: gen_… is a generation wherever it turns up, in logs, URLs and client caches. */
export type IdPrefix = 'gen' | 'img' | 'att' | 'acc' | 'key' | 'ent' | 'tok'

export type Ids = {
  /** Sortable by time of making, also within one millisecond: history pages by it. */
  next(prefix: IdPrefix): string
  /** Random, unguessable, 128 bits: lease tokens and the like. */
  token(): string
}

export function createIds(): Ids {
  return {
    next: (prefix) => `${prefix}_${uuidv7().replaceAll('-', '')}`,
    token: () => randomBytes(16).toString('base64url'),
  }
}
