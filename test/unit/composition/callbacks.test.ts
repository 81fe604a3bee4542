import { expect, it } from 'vitest'
import { planCallbacks } from '../../../src/composition/callbacks.ts'
import { readConfig } from '../../../src/config.ts'
import type { ImageProvider } from '../../../src/providers/provider.ts'
import { createProviderRegistry } from '../../../src/providers/provider-registry.ts'

const provider = (id: string, certain?: boolean) =>
  ({ id, ...(certain !== undefined && { callbacks: { certain } }) }) as unknown as ImageProvider

const REGISTRY = createProviderRegistry([provider('sure', true), provider('unsure', false), provider('mute')])
const plan = (env: Record<string, string>) => planCallbacks(readConfig(env), REGISTRY)
const idsOf = (env: Record<string, string>) => [...(plan(env)?.providers ?? [])]

it('has those call whose callbacks are known for certain, where strangers can reach the server', () => {
  const publicUrl = 'https://images.example.com/pictor'
  expect(plan({ PUBLIC_URL: publicUrl })).toEqual({ publicUrl, providers: new Set(['sure']) })
  expect(idsOf({ PUBLIC_URL: 'https://93.184.216.34' })).toEqual(['sure'])
})

it.each([
  undefined,
  'http://images.example.com',
  'https://localhost',
  'https://pictor',
  'https://printer.local',
  'https://pictor.localhost',
  'https://192.168.1.4',
  'https://127.0.0.1:4000',
  'https://[::1]',
])('has nobody call at %s', (publicUrl) => {
  expect(plan(publicUrl === undefined ? {} : { PUBLIC_URL: publicUrl })).toBeNull()
})

it('has those call that the operator names, wherever the server is', () => {
  const PUBLIC_URL = 'http://127.0.0.1:4000'
  expect(idsOf({ PUBLIC_URL, PICTOR_CALLBACKS: 'unsure, sure' })).toEqual(['unsure', 'sure'])
})

it('has nobody call where that is switched off', () => {
  expect(plan({ PUBLIC_URL: 'https://images.example.com', PICTOR_CALLBACKS: 'off' })).toBeNull()
})

it('refuses names that cannot call, and names without an address to call', () => {
  const PUBLIC_URL = 'https://images.example.com'
  expect(() => plan({ PUBLIC_URL, PICTOR_CALLBACKS: 'sure,mute' })).toThrow(
    'PICTOR_CALLBACKS names `mute`, which cannot call back. Those that can: sure, unsure.',
  )
  expect(() => plan({ PICTOR_CALLBACKS: 'sure' })).toThrow('PICTOR_CALLBACKS needs PUBLIC_URL')
  expect(() => readConfig({ PICTOR_CALLBACKS: 'off,sure' })).toThrow('PICTOR_CALLBACKS must be `auto`, `off`')
})
