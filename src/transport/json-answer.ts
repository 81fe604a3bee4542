import { type ReadingPace, untilDrained } from './reading-pace.ts'

const PIECE_BYTES = 65_536

/** In pieces, each when the last has left: a long answer that nobody reads is given up, and not kept. */
export async function answerJson(pace: ReadingPace, status: number, body: object): Promise<void> {
  const { response } = pace
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(bytes.length),
  })
  for (let start = 0; start < bytes.length && !response.destroyed; start += PIECE_BYTES) {
    const isRead = response.write(bytes.subarray(start, start + PIECE_BYTES))
    if (!isRead) await untilDrained(pace, () => response.destroy())
  }
  response.end()
}
