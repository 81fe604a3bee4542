import { randomFillSync } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'

/** Prefixes say what an id names: gen_… is a generation wherever it turns up, in logs, URLs and client caches. */
export type IdPrefix = 'gen' | 'img' | 'att' | 'acc' | 'key' | 'ent' | 'tok' | 'upl' | 'whk' | 'whd' | 'msg'

export type Ids = {
  /** Sortable by time of making, also within one millisecond: history pages by it. */
  next(prefix: IdPrefix): string
  /** Random, unguessable, 128 bits: lease tokens and the like. */
  token(): string
}

const BYTES = 16

export function createIds(): Ids {
  const takeRandom = createRandomPool()
  const bytes = Buffer.alloc(BYTES)
  let msecs = 0
  let seq = 0

  /** Counts on within a millisecond, and while the clock stands behind the last id. */
  function advance(random: Buffer): void {
    const now = Date.now()
    seq = now > msecs ? random.readUInt32BE(0) >>> 1 : (seq + 1) >>> 0
    msecs = Math.max(now, seq === 0 ? msecs + 1 : msecs)
  }

  return {
    next(prefix) {
      const random = takeRandom()
      advance(random)
      uuidv7({ random, msecs, seq }, bytes)
      return `${prefix}_${bytes.toString('hex')}`
    },
    token: () => takeRandom().toString('base64url'),
  }
}

/** The kernel is asked once for many ids: a call for each took a thirtieth of an admission. No byte is handed out twice. */
function createRandomPool(): () => Buffer {
  const pool = Buffer.alloc(256 * BYTES)
  let taken = pool.length
  return () => {
    if (taken === pool.length) {
      randomFillSync(pool)
      taken = 0
    }
    taken += BYTES
    return Buffer.from(pool.subarray(taken - BYTES, taken))
  }
}
