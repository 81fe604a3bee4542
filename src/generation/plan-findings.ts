import type { FieldProblem } from '../errors.ts'
import type { Warning } from './generation-types.ts'

/** A setting that the model cannot honour as asked. */
export type Misfit = {
  readonly field: string
  /** null: not repeated, e.g. the text of a prompt. */
  readonly requested: string | null
  /** What takes its place; null: nothing does. */
  readonly used: string | null
  /** A sentence: what the model can do, and what was asked. */
  readonly fact: string
  /** A sentence: what the caller can do about it; needed where `allowed` does not say it. */
  readonly mend?: string
  readonly allowed?: readonly string[]
}

/** What a plan has to say to the caller. `strict` decides whether a misfit is refused or adjusted. */
export type PlanFindings = {
  /** One a field: what is found first about a field is what is told. */
  readonly problems: readonly FieldProblem[]
  readonly warnings: readonly Warning[]
  /** Wrong in any mode. */
  refuse(problem: FieldProblem): void
  warn(warning: Warning): void
  /** Refused in strict mode; else adjusted or ignored, and said. */
  fit(misfit: Misfit): void
}

export function createPlanFindings(strict: boolean): PlanFindings {
  const problems: FieldProblem[] = []
  const warnings: Warning[] = []

  function refuse(problem: FieldProblem): void {
    if (!problems.some((other) => other.path === problem.path)) problems.push(problem)
  }

  return {
    problems,
    warnings,
    refuse,
    warn: (warning) => void warnings.push(warning),
    fit({ field, requested, used, fact, mend, allowed = [] }) {
      if (strict) return refuse({ path: field, message: mend ? `${fact} ${mend}` : fact, allowed })
      const code = used === null ? 'IGNORED' : 'ADJUSTED'
      const message = used === null ? `${fact} It is ignored.` : `${fact} ${used} is used.`
      warnings.push({ code, field, requested, used, message })
    },
  }
}

/** Someone else's text inside one of our sentences: short, on one line, and quoted unless it is a plain word. */
export function quote(text: string): string {
  const short = text.length > 40 ? `${text.slice(0, 40).toWellFormed()}…` : text
  return /^[\w.:+-]+$/.test(text) ? short : JSON.stringify(short)
}

/** "a, b or c" */
export function joinChoices(values: readonly string[]): string {
  const last = values.at(-1) ?? ''
  return values.length < 2 ? last : `${values.slice(0, -1).join(', ')} or ${last}`
}
