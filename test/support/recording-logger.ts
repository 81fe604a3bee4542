import type { LogFields, Logger } from '../../src/logger.ts'

export type LogLine = { readonly level: string; readonly fields: LogFields; readonly message: string }

export type RecordingLogger = Logger & {
  readonly lines: readonly LogLine[]
  /** Resolves with the first line of this message: at once where it has been written. */
  said(message: string): Promise<LogLine>
}

export function createRecordingLogger(): RecordingLogger {
  const lines: LogLine[] = []
  const waiting = new Set<{ readonly message: string; resolve(line: LogLine): void }>()
  const write = (level: string) => (fields: LogFields, message: string) => {
    const line = { level, fields, message }
    lines.push(line)
    for (const waiter of waiting) {
      if (waiter.message !== message) continue
      waiting.delete(waiter)
      waiter.resolve(line)
    }
  }
  const logger: RecordingLogger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => logger,
    lines,
    said(message) {
      const found = lines.find((line) => line.message === message)
      if (found) return Promise.resolve(found)
      return new Promise((resolve) => waiting.add({ message, resolve }))
    },
  }
  return logger
}
