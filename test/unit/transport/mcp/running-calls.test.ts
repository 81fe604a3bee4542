import { expect, it } from 'vitest'
import { type CallName, createRunningCalls } from '../../../../src/transport/mcp/running-calls.ts'
import { TOY_VIEWER } from '../../../support/toy-server.ts'

const NAME: CallName = { viewer: TOY_VIEWER, label: 'one', id: 1 }

it.each([
  ['of another label', { ...NAME, label: 'two' }],
  ['of no label', { ...NAME, label: null }],
  ['of another number', { ...NAME, id: 2 }],
  ['of the same number as text', { ...NAME, id: '1' }],
  ['of another account', { ...NAME, viewer: { ...TOY_VIEWER, accountId: 'acc_2' } }],
  ['of another key', { ...NAME, viewer: { ...TOY_VIEWER, apiKeyId: 'key_2' } }],
  ['of another token', { ...NAME, viewer: { ...TOY_VIEWER, tokenId: 'tok_2' } }],
])('a call is canceled by its name, and not by that %s', (_whose, other) => {
  const running = createRunningCalls()
  let canceled = 0
  running.add(NAME, () => {
    canceled += 1
  })
  running.cancel(other)
  expect(canceled).toBe(0)
  running.cancel(NAME)
  running.cancel(NAME)
  expect(canceled).toBe(1)
})

it('nothing is kept of calls that have ended, or that cannot be named', () => {
  const running = createRunningCalls()
  const remove = running.add(NAME, () => undefined)
  // The same client uses a number again: the later call is the one that is meant.
  const removeLater = running.add(NAME, () => undefined)
  running.add({ ...NAME, label: null }, () => undefined)
  running.add({ ...NAME, id: null }, () => undefined)
  expect(running.size()).toBe(1)
  remove()
  expect(running.size()).toBe(1)
  removeLater()
  expect(running.size()).toBe(0)
})
