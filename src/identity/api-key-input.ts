import { type FieldProblem, InvalidInputError } from '../errors.ts'
import { parseMicros } from '../money.ts'
import { SCOPES, type Scope, type Viewer } from '../viewer.ts'
import type { CreateApiKeyInput } from './account-types.ts'
import { checkName, checkScopes, checkSpend, isScope } from './field-checks.ts'

export type ApiKeyGrant = {
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly expiresAt: number | null
  readonly dailySpendMicros: number | null
}

/** What a key may do where nothing is asked: `admin` only by name. */
const DEFAULT_SCOPES: readonly Scope[] = ['generate', 'read']
const MAX_NAME_LENGTH = 100
/** The last moment that a Date can show. */
const MAX_TIME = 8.64e15

/**
 * Throws InvalidInputError. A key is never wider than the one that makes it: scopes, daily spend and life stay within
 * those of `maker`, and what is left out is the maker's own. null: the operator, who may give anything.
 */
export function parseApiKeyInput(input: CreateApiKeyInput, maker: Viewer | null, now: number): ApiKeyGrant {
  const held = maker?.scopes ?? SCOPES
  const capMicros = maker?.keyDailySpendMicros ?? null
  const ends = maker?.expiresAt ?? null
  const problems = [
    checkName('name', input.name, MAX_NAME_LENGTH),
    ...(input.scopes === null ? [] : checkScopes(input.scopes, held)),
    checkExpiry(input.expiresAt, ends, now),
    checkSpend('dailySpend', input.dailySpend, capMicros),
  ].filter((problem) => problem !== null)
  if (problems.length > 0) throw new InvalidInputError(problems)
  const scopes = input.scopes === null ? DEFAULT_SCOPES.filter((scope) => held.includes(scope)) : input.scopes
  return {
    name: input.name.trim(),
    scopes: scopes.filter((scope, index) => scopes.indexOf(scope) === index).filter(isScope),
    expiresAt: input.expiresAt ?? ends,
    dailySpendMicros: input.dailySpend === null ? capMicros : parseMicros(input.dailySpend),
  }
}

function checkExpiry(expiresAt: number | null, ends: number | null, now: number): FieldProblem | null {
  if (expiresAt === null) return null
  const path = 'expiresAt'
  if (!Number.isInteger(expiresAt) || expiresAt > MAX_TIME) return { path, message: 'It is no time.', allowed: [] }
  if (expiresAt <= now) return { path, message: 'It must be in the future.', allowed: [] }
  if (ends === null || expiresAt <= ends) return null
  return {
    path,
    message: `Your own key ends at ${new Date(ends).toISOString()}; this must not end later.`,
    allowed: [],
  }
}
