import type { IncomingMessage, ServerResponse } from 'node:http'

export type BodyLimits = {
  /** What anybody may make us hold. */
  readonly openBytes: number
  readonly maxBytes: number
  /** Asked before more than `openBytes` is taken, while the body waits on the wire. Rejects for whoever may not send it. */
  permit(): Promise<void>
}

/**
 * Reads a body of at most `maxBytes`. null: it is larger, known from its declared length before a byte is taken, or
 * counted on the way. Node then discards the rest, within the time that a request has. Rejects when the caller goes, and
 * as `permit` does.
 */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer<ArrayBuffer> | null> {
  const declared = declaredBytes(request)
  if (declared > limits.maxBytes) return Promise.resolve(null)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let sizeBytes = 0
    let allowedBytes = limits.openBytes
    const settle = (run: () => void) => {
      request.off('data', onData).off('end', onEnd).off('close', onClose)
      // What is left is thrown away, so that the connection can be used again.
      request.resume()
      run()
    }
    const goOn = () => {
      allowedBytes = limits.maxBytes
      request.resume()
    }
    const ask = () => {
      request.pause()
      limits.permit().then(goOn, (error: unknown) => settle(() => reject(error)))
    }
    const onData = (chunk: Buffer) => {
      chunks.push(chunk)
      sizeBytes += chunk.length
      if (sizeBytes <= allowedBytes) return
      if (allowedBytes < limits.maxBytes) ask()
      else settle(() => resolve(null))
    }
    const onEnd = () => settle(() => resolve(Buffer.concat(chunks, sizeBytes)))
    const onClose = () => settle(() => reject(new Error('The caller went before its request was complete.')))
    if (declared > limits.openBytes) ask()
    request.on('data', onData).on('end', onEnd).on('close', onClose)
  })
}

/** For who waits to be asked. The listener invites those of at most `openBytes` itself. */
export function inviteBody(request: IncomingMessage, response: ServerResponse, openBytes: number): void {
  const isWaiting = request.headers.expect !== undefined && declaredBytes(request) > openBytes
  if (isWaiting && !response.destroyed) response.writeContinue()
}

/** From the header; 0 where none is sent, as with chunks. */
export function declaredBytes(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0)
}
