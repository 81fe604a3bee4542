import { type FieldProblem, InvalidInputError, ModelUnavailableError } from '../errors.ts'
import { parseMicros } from '../money.ts'
import type { Scope, Viewer } from '../viewer.ts'
import type { CreateTokenInput } from './account-types.ts'
import { checkName, checkScopes, checkSpend, isScope } from './field-checks.ts'

export type TokenGrant = {
  readonly endUser: string | null
  readonly scopes: readonly Scope[]
  readonly models: readonly string[] | null
  readonly maxSpendMicros: number | null
  readonly expiresInSeconds: number
}

/** The id of the model that a name stands for. Throws ModelUnavailableError where none or several answer. */
export type ResolveModel = (name: string) => string

export const MAX_TOKEN_SECONDS = 86_400
const MAX_MODELS = 50
const MAX_END_USER_LENGTH = 128

/**
 * Throws InvalidInputError. A token is never wider than its maker: what is left out is the maker's own, except `admin`,
 * which a browser gets only by name.
 */
export function parseTokenInput(input: CreateTokenInput, maker: Viewer, resolveModel: ResolveModel): TokenGrant {
  const models = input.models === null ? null : resolveModels(input.models, maker.models, resolveModel)
  const problems = [
    checkEndUser(input.endUser, maker.endUser),
    checkLife(input.expiresInSeconds),
    ...(input.scopes === null ? [] : checkScopes(input.scopes, maker.scopes)),
    ...(models?.problems ?? []),
    checkSpend('maxSpend', input.maxSpend, maker.tokenMaxSpendMicros),
  ].filter((problem) => problem !== null)
  if (problems.length > 0) throw new InvalidInputError(problems)
  const scopes = input.scopes?.filter(isScope) ?? maker.scopes.filter((scope) => scope !== 'admin')
  return {
    endUser: input.endUser ?? maker.endUser,
    scopes: [...new Set(scopes)],
    models: models?.ids ?? maker.models,
    maxSpendMicros: input.maxSpend === null ? maker.tokenMaxSpendMicros : parseMicros(input.maxSpend),
    expiresInSeconds: input.expiresInSeconds,
  }
}

function checkEndUser(asked: string | null, own: string | null): FieldProblem | null {
  if (asked === null) return null
  if (own === null) return checkName('endUser', asked, MAX_END_USER_LENGTH)
  if (asked === own) return null
  return { path: 'endUser', message: 'Your own token is for another end user.', allowed: [own] }
}

function checkLife(seconds: number): FieldProblem | null {
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_TOKEN_SECONDS) return null
  const message = `It must be a whole number from 1 to ${MAX_TOKEN_SECONDS}.`
  return { path: 'expiresInSeconds', message, allowed: [] }
}

type ResolvedModels = { readonly ids: readonly string[]; readonly problems: readonly FieldProblem[] }

function resolveModels(
  names: readonly string[],
  held: readonly string[] | null,
  resolve: ResolveModel,
): ResolvedModels {
  if (names.length < 1 || names.length > MAX_MODELS) {
    const message = `List 1 to ${MAX_MODELS} models, or leave it out.`
    return { ids: [], problems: [{ path: 'models', message, allowed: held ?? [] }] }
  }
  const ids: string[] = []
  const problems: FieldProblem[] = []
  names.forEach((name, index) => {
    const found = findModel(name, held, resolve)
    if (typeof found === 'string') ids.push(found)
    else problems.push({ path: `models.${index}`, ...found })
  })
  return { ids: [...new Set(ids)], problems }
}

function findModel(name: string, held: readonly string[] | null, resolve: ResolveModel): string | ModelProblem {
  try {
    const id = resolve(name)
    if (held === null || held.includes(id)) return id
    return { message: 'Your own token does not have this model.', allowed: held }
  } catch (error) {
    if (error instanceof ModelUnavailableError) return { message: error.message, allowed: error.suggestions }
    throw error
  }
}

type ModelProblem = Pick<FieldProblem, 'message' | 'allowed'>
