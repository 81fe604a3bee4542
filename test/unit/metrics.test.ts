import { describe, expect, it } from 'vitest'
import { createMetrics } from '../../src/metrics.ts'

describe('metrics', () => {
  it('are counted apart for each registry that is made', async () => {
    const [one, other] = [createMetrics({ process: false }), createMetrics({ process: false })]
    one.claim('claimed')
    expect(await one.render()).toContain('pictor_claims_total{outcome="claimed"} 1')
    expect(await other.render()).not.toContain('outcome="claimed"')
  })

  it('take labels from fixed sets, whatever is sent', async () => {
    const metrics = createMetrics({ providers: ['openai'], process: false })
    metrics.attempt('openai', 'succeeded', 3)
    for (let n = 0; n < 50; n++) {
      metrics.attempt(`evil-${n}`, 'failed', 1)
      metrics.httpRequest(`/evil/${n}`, `METHOD${n}`, 404, 0.001)
      metrics.socketClosed(4500 + n)
      metrics.eventPublished(`KIND${n}`)
    }
    const text = await metrics.render()
    expect(text).not.toMatch(/evil|METHOD|KIND/)
    expect(text).toContain('pictor_attempt_seconds_count{provider="other",outcome="failed"} 50')
    expect(text).toContain('pictor_http_request_seconds_count{route="other",method="other",status="4xx"} 50')
  })

  it('count money and bytes', async () => {
    const metrics = createMetrics({ process: false })
    metrics.money('held', 40_000)
    metrics.money('held', 2_000)
    metrics.storage('write', 1_024)
    const text = await metrics.render()
    expect(text).toContain('pictor_money_micros_total{kind="held"} 42000')
    expect(text).toContain('pictor_storage_bytes_total{operation="write"} 1024')
    expect(text).toContain('pictor_storage_operations_total{operation="write"} 1')
  })

  it('read the queue once a scrape, and keep the last figures when it cannot be read', async () => {
    const metrics = createMetrics({ process: false })
    let reads = 0
    metrics.observeQueue(async () => {
      reads += 1
      if (reads === 2) throw new Error('no database')
      return { depth: 7, oldestAgeSeconds: 12.5 }
    })
    expect(await metrics.render()).toContain('pictor_queue_depth 7')
    expect(reads).toBe(1)
    const again = await metrics.render()
    expect(again).toContain('pictor_queue_depth 7')
    expect(again).toContain('pictor_queue_oldest_age_seconds 12.5')
  })

  it('tell the event-loop lag of the process', async () => {
    expect(await createMetrics().render()).toContain('pictor_nodejs_eventloop_lag_seconds')
  })
})
