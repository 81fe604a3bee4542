import { styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan'

/** What a stream must be for a command to write to it: `process.stdout` and `process.stderr` are such. */
export type OutputStream = {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** Results go to standard output, everything on the way there to standard error. Nothing else in here writes. */
export type Output = {
  /** One line of a result. */
  line(text?: string): void
  /** The one document of a command that was asked for JSON. */
  json(value: unknown): void
  /** One line of what happens meanwhile, or of what went wrong. */
  note(text: string): void
  /** Rewrites the last line of the terminal; '' takes it away. Does nothing where standard error is no terminal. */
  status(text: string): void
  /** Coloured where its stream is a terminal and the user has not said NO_COLOR. */
  style(style: Style, text: string): string
  noteStyle(style: Style, text: string): string
  /** Is somebody looking while it happens? */
  readonly isLive: boolean
  /** Columns of standard output; where it is no terminal, no limit. */
  readonly width: number
}

const ERASE_LINE = '\r\u001B[2K'

export function createOutput(streams: {
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly environment: Readonly<Record<string, string | undefined>>
}): Output {
  const { stdout, stderr, environment } = streams
  const isLive = stderr.isTTY === true && environment.TERM !== 'dumb'
  let status = ''
  const rewrite = (text: string) => {
    if (isLive) stderr.write(`${ERASE_LINE}${text}`)
    status = text
  }
  /** The status line makes room, and stays the last one. */
  const above = (write: () => void) => {
    const kept = status
    if (kept !== '') rewrite('')
    write()
    if (kept !== '') rewrite(kept)
  }
  return {
    line: (text = '') => above(() => stdout.write(`${text}\n`)),
    json: (value) => above(() => stdout.write(`${JSON.stringify(value, null, 2)}\n`)),
    note: (text) => above(() => stderr.write(`${text}\n`)),
    status: (text) => {
      if (isLive && text !== status) rewrite(text)
    },
    style: createStyle(stdout, environment),
    noteStyle: createStyle(stderr, environment),
    isLive,
    width: stdout.isTTY === true ? (stdout.columns ?? 80) : Number.POSITIVE_INFINITY,
  }
}

function createStyle(stream: OutputStream, environment: Readonly<Record<string, string | undefined>>) {
  const isColoured = stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb'
  return (style: Style, text: string) => (isColoured ? styleText(style, text, { validateStream: false }) : text)
}
