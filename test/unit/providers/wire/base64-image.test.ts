import { describe, expect, it } from 'vitest'
import { decodeBase64Image } from '../../../../src/providers/wire/base64-image.ts'

describe('A picture in base64', () => {
  it.each(['Ynl0ZXM=', 'Ynl0ZXM', 'data:image/png;base64,Ynl0ZXM=', 'Ynl0\nZXM='])('is read from %j', (text) => {
    expect(Buffer.from(decodeBase64Image('Vendor', text)).toString()).toBe('bytes')
  })

  it.each(['', 'data:image/png;base64,', '===', undefined, null, 7, {}, ['Ynl0ZXM=']])('is none in %j', (text) => {
    expect(() => decodeBase64Image('Vendor', text)).toThrow(
      expect.objectContaining({ kind: 'BAD_OUTPUT', delivery: 'ANSWERED', providerBilled: true }),
    )
  })
})
