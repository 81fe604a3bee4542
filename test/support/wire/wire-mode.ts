/**
 * How a wire server behaves to one request: `refused`, `rate_limited retry-after=2`, `ok delay=200`. A test scripts it; a
 * person writes it into the prompt as `[[wire refused]]`.
 */
export type WireMode = {
  /** `ok`, a fault of the connection, or one of the vendor's own. */
  readonly name: string
  /** Of `name=value` words. */
  readonly settings: Readonly<Record<string, string>>
  number(setting: string): number | undefined
}

const DIRECTIVE = /\[\[wire ([^\]]*)\]\]/

export function pickMode(scripted: string | undefined, body: Buffer | null): WireMode {
  return readMode(scripted ?? (body === null ? '' : (DIRECTIVE.exec(body.toString('utf8'))?.[1] ?? '')))
}

export function readMode(text: string): WireMode {
  const words = text.split(/\s+/).filter((word) => word !== '')
  const settings = Object.fromEntries(
    words
      .filter((word) => word.includes('='))
      .map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  )
  return {
    name: words.find((word) => !word.includes('=')) ?? 'ok',
    settings,
    number: (setting) => (settings[setting] === undefined ? undefined : Number(settings[setting])),
  }
}
