/** One line of the doctor. `mend` says what to do; null where there is nothing to do. */
export type Finding = {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
  readonly mend: string | null
}

export const good = (name: string, detail: string): Finding => ({ name, ok: true, detail, mend: null })

export const bad = (name: string, detail: string, mend: string): Finding => ({ name, ok: false, detail, mend })

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
