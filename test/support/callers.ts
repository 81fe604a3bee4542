import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { createSystemClock } from '../../src/clock.ts'
import { startFaultProxy } from './fault-proxy.ts'
import { startApp, type TestApp } from './start-app.ts'
import type { CallKind } from './wire/callbacks.ts'
import { PLAYED_VENDORS } from './wire/vendors.ts'
import { startWireServer } from './wire/wire-server.ts'

/** A vendor that calls back when a job has ended. */
export type Caller = {
  readonly name: 'flux' | 'fal' | 'replicate'
  readonly model: string
  /** Of the requests that ask after a job. */
  readonly looks: RegExp
  /** What its signature cannot tell. */
  readonly blindTo?: CallKind
}

/** What it signs holds no time that is certain. */
export const FLUX: Caller = { name: 'flux', model: 'flux/flux-1.1-pro', looks: /^\/v1\/get_result/, blindTo: 'stale' }
export const CALLERS: readonly Caller[] = [
  FLUX,
  { name: 'fal', model: 'fal/fal-ai/flux/dev', looks: /\/status$/ },
  { name: 'replicate', model: 'replicate/flux-1.1-pro', looks: /^\/v1\/predictions\/[^/]+$/ },
]

/** Pauses between two looks end by a call alone; every other time is what it is. */
export function createPatientClock() {
  const clock = createSystemClock()
  const isPause = (ms: number) => ms > 500 && ms <= 3_000 && ms !== 1_000
  return { ...clock, sleep: (ms: number, signal?: AbortSignal) => clock.sleep(isPause(ms) ? 600_000 : ms, signal) }
}

/** The vendor on one side, a proxy with a known address on the other: vendors call at the address of the proxy. */
export async function openCaller({ name }: Caller, clock = createSystemClock()) {
  const vendor = PLAYED_VENDORS[name]
  const wire = await startWireServer(vendor.create)
  const proxy = await startFaultProxy(0)
  const app = await startApp({
    env: {
      ...vendor.environment(wire.origin, 'canary-4e7d'),
      PUBLIC_URL: `http://127.0.0.1:${proxy.port}`,
      PICTOR_CALLBACKS: name,
    },
    clock,
    leaseMs: 600_000,
  })
  proxy.leadTo(app.app.port)
  onTestFinished(async () => {
    await app[Symbol.asyncDispose]()
    await proxy.stop()
    await wire.close()
  })
  return { app, wire, vendorCalls: (verdict: string) => countCalls(app, name, verdict) }
}

async function countCalls(app: TestApp, provider: string, verdict: string): Promise<number> {
  const line = `pictor_vendor_callbacks_total{provider="${provider}",verdict="${verdict}"} `
  const text = await app.app.foundations.metrics.render()
  return Number(
    text
      .split('\n')
      .find((each) => each.startsWith(line))
      ?.slice(line.length) ?? 0,
  )
}

/** Of a submission to Black Forest Labs. */
export function readWebhookUrl(json: unknown): string {
  return z.object({ webhook_url: z.string() }).parse(json).webhook_url
}
