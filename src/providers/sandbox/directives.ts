import type { ProviderErrorKind } from '../provider-error.ts'
import { DIRECTIVE_NAMES, type DirectiveName, readDirective } from './directive-values.ts'
import { createInvalidRequest, type Stage, stageOf } from './sandbox-failures.ts'

/** What a prompt tells the sandbox to do; `docs/sandbox.md` describes each. */
export type Directives = {
  readonly delayMs: number
  readonly steps: number
  /** null: all goes well, but for what else is asked. */
  readonly failure: {
    readonly kind: ProviderErrorKind
    readonly stage: Stage
    readonly retryAfterMs: number | null
  } | null
  /** How many images are made in silence instead of all; null: all. */
  readonly images: number | null
  readonly failImages: { readonly indexes: readonly number[]; readonly kind: ProviderErrorKind } | null
  readonly hang: boolean
  readonly broken: 'cut' | 'page' | null
  readonly unknown: boolean
  /** Answers within the one call: no job to go on from. */
  readonly sync: boolean
  readonly revise: string | null
}

const BLOCK = /\[\[\s*sandbox\b((?:"[^"]*"|[^\]"])*)\]\]/gi
const OPENED = /\[\[\s*sandbox\b/i
const TOKEN = /[^\s"=]+(?:=(?:"[^"]*"|[^\s"]*))?|\S/g

/**
 * Takes the directives out of a prompt. Trouble lasts for the first `times` attempts only, where that is given.
 * Throws ProviderError (`INVALID_REQUEST`, `NOT_SENT`) for what it does not know: a typo must not look like success.
 */
export function readDirectives(
  text: string,
  count: number,
  attemptNumber: number,
): { prompt: string; directives: Directives } {
  const values = new Map<DirectiveName, string | null>()
  const rest = text.replace(BLOCK, (_, body: string) => {
    for (const token of body.match(TOKEN) ?? []) collect(values, token)
    return ' '
  })
  if (OPENED.test(rest))
    throw createInvalidRequest('A [[sandbox …]] directive is not closed: a quote or the closing ]] is missing.')
  const prompt = rest === text ? text : rest.replace(/\s+/g, ' ').trim()
  return { prompt, directives: interpret(values, count, attemptNumber) }
}

function collect(values: Map<DirectiveName, string | null>, token: string): void {
  const [, name = '', quoted] = /^([^=]*)(?:=(.*))?$/s.exec(token) ?? []
  const known = DIRECTIVE_NAMES.find((each) => each === name.toLowerCase())
  if (!known) {
    throw createInvalidRequest(`The sandbox has no directive "${name}". It has: ${DIRECTIVE_NAMES.join(', ')}.`)
  }
  if (values.has(known)) throw createInvalidRequest(`The sandbox directive "${known}" is given twice.`)
  values.set(known, quoted === undefined ? null : quoted.replace(/^"(.*)"$/s, '$1'))
}

function interpret(
  values: ReadonlyMap<DirectiveName, string | null>,
  count: number,
  attemptNumber: number,
): Directives {
  const read = <Name extends DirectiveName>(name: Name) =>
    values.has(name) ? readDirective(name, values.get(name) ?? null) : undefined
  const kind = read('fail')
  const failImages = read('fail-image')
  assertCombination(values, failImages ?? [], count)
  const times = read('times') ?? Number.POSITIVE_INFINITY
  const isTroubled = attemptNumber <= times
  const whole = kind && !failImages ? kind : null
  const stage = read('at')
  const retryAfterMs = read('retry-after') ?? null
  return {
    delayMs: read('delay') ?? 1200,
    steps: read('steps') ?? 8,
    failure: isTroubled && whole ? { kind: whole, stage: stage ?? stageOf(whole), retryAfterMs } : null,
    images: isTroubled ? (read('images') ?? null) : null,
    failImages: isTroubled && failImages ? { indexes: failImages, kind: kind ?? 'REFUSED' } : null,
    hang: isTroubled && values.has('hang') && (read('hang') ?? true),
    broken: isTroubled ? (read('broken') ?? null) : null,
    unknown: isTroubled && values.has('unknown') && (read('unknown') ?? true),
    sync: values.has('sync') && (read('sync') ?? true),
    revise: read('revise') ?? null,
  }
}

const TROUBLES: readonly DirectiveName[] = ['fail', 'images', 'fail-image', 'hang', 'broken', 'unknown']

function assertCombination(
  values: ReadonlyMap<DirectiveName, string | null>,
  failImages: readonly number[],
  count: number,
): void {
  const needsFailure = (['at', 'retry-after'] as const).find((name) => values.has(name) && !values.has('fail'))
  if (needsFailure)
    throw createInvalidRequest(`The sandbox directive "${needsFailure}" says how "fail" fails, and there is no "fail".`)
  if (values.has('times') && !TROUBLES.some((name) => values.has(name))) {
    throw createInvalidRequest(
      `The sandbox directive "times" counts trouble, and there is none. Add one of: ${TROUBLES.join(', ')}.`,
    )
  }
  if (values.has('fail') && values.has('unknown')) {
    throw createInvalidRequest(
      'The sandbox directives "fail" and "unknown" exclude each other: one ends with an answer, one without.',
    )
  }
  if (values.has('at') && values.has('fail-image')) {
    throw createInvalidRequest(
      'The sandbox directives "at" and "fail-image" exclude each other: an image fails when its turn comes.',
    )
  }
  const outside = failImages.find((index) => index >= count)
  if (outside === undefined) return
  throw createInvalidRequest(
    `The sandbox directive "fail-image" names image ${outside}; the images are 0 to ${count - 1}.`,
  )
}
