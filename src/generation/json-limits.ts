import type { FieldProblem } from '../errors.ts'

export const MAX_JSON_BYTES = 16 * 1024
export const MAX_JSON_DEPTH = 8

/** They reach into prototypes wherever an object is copied carelessly later on. */
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * The first thing that is wrong with a free JSON value, or null: at most 16 KB as UTF-8 text and 8 levels deep, made of
 * plain objects, arrays and finite numbers, with text that every database can hold and no key that names a prototype.
 */
export function checkJson(value: unknown, path: string): FieldProblem | null {
  const message = describeFault(value, 1)
  if (message) return { path, message, allowed: [] }
  const sizeBytes = Buffer.byteLength(JSON.stringify(value))
  if (sizeBytes <= MAX_JSON_BYTES) return null
  return { path, message: `It may take ${MAX_JSON_BYTES} bytes as JSON; it takes ${sizeBytes}.`, allowed: [] }
}

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** Goes no deeper than the limit, so that a value of a thousand levels costs no more than one of eight. */
function describeFault(value: unknown, depth: number): string | null {
  if (value === null || typeof value === 'boolean') return null
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'It may hold finite numbers only.'
  if (typeof value === 'string') return describeTextFault(value)
  if (depth > MAX_JSON_DEPTH) return `It may be ${MAX_JSON_DEPTH} levels deep; it is deeper.`
  if (Array.isArray(value)) return firstFault(value, depth)
  if (!isPlainObject(value)) return 'It must be made of JSON values only.'
  for (const key of Object.keys(value)) {
    if (FORBIDDEN_KEYS.has(key)) return `It must not have a key named ${key}.`
    const fault = describeTextFault(key)
    if (fault) return fault
  }
  return firstFault(Object.values(value), depth)
}

function firstFault(values: readonly unknown[], depth: number): string | null {
  for (const value of values) {
    const fault = describeFault(value, depth + 1)
    if (fault) return fault
  }
  return null
}

function describeTextFault(text: string): string | null {
  if (text.includes('\0')) return 'Its text must not hold the character NUL.'
  return text.isWellFormed() ? null : 'Its text must be valid Unicode: it holds half of a surrogate pair.'
}
