import type { IncomingMessage } from 'node:http'

/**
 * Reads a body of at most `limitBytes`. null: it is larger, known from its declared length before a byte is taken, or
 * counted on the way. Node then discards the rest, within the time that a request has. Rejects when the caller goes.
 */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer<ArrayBuffer> | null> {
  if (declaredBytes(request) > limitBytes) return Promise.resolve(null)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let sizeBytes = 0
    const settle = (run: () => void) => {
      request.off('data', onData).off('end', onEnd).off('close', onClose)
      run()
    }
    const onData = (chunk: Buffer) => {
      sizeBytes += chunk.length
      if (sizeBytes <= limitBytes) chunks.push(chunk)
      else settle(() => resolve(null))
    }
    const onEnd = () => settle(() => resolve(Buffer.concat(chunks, sizeBytes)))
    const onClose = () => settle(() => reject(new Error('The caller went before its request was complete.')))
    request.on('data', onData).on('end', onEnd).on('close', onClose)
  })
}

/** From the header; 0 where none is sent, as with chunks. */
export function declaredBytes(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0)
}
