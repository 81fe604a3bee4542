import { describe, expect, it } from 'vitest'
import { checkNode } from '../../../src/cli/doctor-checks.ts'
import { describeClock, describeKeys } from '../../../src/cli/doctor-database.ts'

const NOW = Date.UTC(2026, 10, 22, 12)

describe('doctor', () => {
  it('takes a clock that is behind the newest entry for wrong, but for a minute', () => {
    expect(describeClock(NOW, NOW + 60_000).ok).toBe(true)
    expect(describeClock(NOW, NOW + 60_001)).toMatchObject({ ok: false, mend: expect.stringContaining('clock') })
    expect(describeClock(NOW, null).ok).toBe(true)
    expect(describeClock(0, null).ok).toBe(false)
  })

  it('asks for a key where every call needs one and there is none', () => {
    expect(describeKeys({ auth: 'auto', host: '127.0.0.1' }, false).ok).toBe(true)
    expect(describeKeys({ auth: 'required', host: '127.0.0.1' }, false).ok).toBe(false)
    expect(describeKeys({ auth: 'auto', host: '0.0.0.0' }, false).mend).toContain('keys create')
    expect(describeKeys({ auth: 'required', host: '0.0.0.0' }, true).ok).toBe(true)
  })

  it('says how to run it on the right Node', () => {
    expect(checkNode('24.21.0').ok).toBe(true)
    expect(checkNode('20.20.2')).toMatchObject({ ok: false, mend: expect.stringContaining('npm') })
  })
})
