import { expect, it } from 'vitest'
import { isPassingFault } from '../../../src/store/passing-faults.ts'

const withCode = (code: string) => Object.assign(new Error('Failed.'), { code })

it.each([
  ...['SQLITE_BUSY', 'SQLITE_BUSY_SNAPSHOT', 'SQLITE_FULL', 'SQLITE_IOERR_WRITE', '57P01', '08006', '40001', '53300'],
  ...['ENOSPC', 'ECONNREFUSED'],
])('takes %s for a fault that passes', (code) => {
  expect(isPassingFault(withCode(code))).toBe(true)
  expect(isPassingFault(new Error('Around it.', { cause: withCode(code) }))).toBe(true)
})

it.each(['Connection terminated unexpectedly', 'timeout exceeded when trying to connect'])(
  'takes "%s", which pg says without a code, for one',
  (message) => expect(isPassingFault(new Error(message))).toBe(true),
)

it.each(['SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_ERROR', '23505', '42P01', 'ENOENT'])(
  'takes %s for a bug, which no second try mends',
  (code) => expect(isPassingFault(withCode(code))).toBe(false),
)

it('takes nothing else for one', () => {
  expect(isPassingFault(new TypeError('x is not a function'))).toBe(false)
  expect(isPassingFault('SQLITE_BUSY')).toBe(false)
})
