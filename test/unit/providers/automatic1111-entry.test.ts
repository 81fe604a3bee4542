import { describe, expect, it } from 'vitest'
import { findAutomatic1111Fault } from '../../../src/providers/automatic1111/automatic1111-entry.ts'

describe('the catalogue entry of an AUTOMATIC1111 model', () => {
  it.each([{}, { checkpoint: 'sdxl.safetensors' }, { checkpoint: true, batch: 'n_iter' }])('is right: %j', (wire) => {
    expect(findAutomatic1111Fault(wire)).toBeNull()
  })

  it.each([
    [{ checkpoint: false }, 'wire.checkpoint should be a text.'],
    [{ checkpoint: '' }, 'wire.checkpoint should be a text.'],
    [{ batch: 'all' }, 'wire.batch should be "batch_size" or "n_iter".'],
    [{ sampler: 'Euler' }, 'wire.sampler is not known. Known are checkpoint, batch.'],
  ])('is refused: %j', (wire, fault) => {
    expect(findAutomatic1111Fault(wire)).toBe(fault)
  })
})
