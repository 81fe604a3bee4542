import { timingSafeEqual } from 'node:crypto'
import { inspect } from 'node:util'

/** Text that cannot print itself: in logs, JSON, templates and errors it is `[secret]`. */
export class Secret {
  readonly #value: string
  constructor(value: string) {
    this.#value = value
  }
  /** The plain text. Call it where it is sent, and keep it nowhere. */
  reveal(): string {
    return this.#value
  }
  toString(): string {
    return '[secret]'
  }
  toJSON(): string {
    return '[secret]'
  }
  [inspect.custom](): string {
    return '[secret]'
  }
}

/** In a time that tells nothing of where they differ: for signatures and marks that come from outside. */
export function isSameSecret(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)]
  return one.length === other.length && timingSafeEqual(one, other)
}
