import { expect, it } from 'vitest'
import { appliedPreference, readPreference } from '../../../../src/transport/rest/preferences.ts'

it.each([
  [null, false, null, null],
  ['respond-async', true, null, 'respond-async'],
  ['wait=10', false, 10_000, 'wait=10'],
  ['Respond-Async, wait="5"', true, 5_000, 'respond-async, wait=5'],
  ['return=minimal; foo="x", respond-async', true, null, 'respond-async'],
  ['wait=soon', false, null, null],
  ['wait=99999999999999999999', false, null, null],
  ['wait=-1', false, null, null],
])('%s is read, and what cannot be is passed over', (header, isAsync, waitMs, applied) => {
  expect(readPreference(header)).toEqual({ isAsync, waitMs })
  expect(appliedPreference({ isAsync, waitMs })).toBe(applied)
})
