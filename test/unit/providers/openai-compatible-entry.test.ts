import { describe, expect, it } from 'vitest'
import { findCompatibleFault } from '../../../src/providers/openai-compatible/openai-compatible-entry.ts'
import { readRejection } from '../../../src/providers/openai-compatible/openai-compatible-wire.ts'

describe('the catalogue entry of an OpenAI-compatible model', () => {
  it.each([
    {},
    { fields: [] },
    { fields: ['seed', 'cfg_scale', 'output_format'], edits: 'image' },
    { negative: 'pipe', extraArgs: false },
  ])('is right: %j', (wire) => {
    expect(findCompatibleFault(wire)).toBeNull()
  })

  it.each([
    [{ fields: 'seed' }, 'wire.fields should be a list of texts.'],
    [{ fields: ['sead'] }, 'wire.fields: "sead" is not known.'],
    [{ fields: ['guidance_scale', 'cfg_scale'] }, 'wire.fields has more than one of'],
    [{ edits: true }, 'wire.edits should be "image" or "image[]".'],
    [{ negative: 'pipe', fields: ['negative_prompt'] }, 'say the same twice'],
    [{ extraArgs: 'yes' }, 'wire.extraArgs should be true or false.'],
    [{ field: ['seed'] }, 'wire.field is not known.'],
  ])('is refused: %j', (wire, fault) => {
    expect(findCompatibleFault(wire)).toContain(fault)
  })
})

describe('what an OpenAI-compatible server says that is wrong', () => {
  it.each([
    [{ error: 'prompt required' }, null, 'prompt required'],
    [{ error: 'server_error', message: 'no result' }, 'server_error', 'no result'],
    [{ error: { code: 'x', message: 'y', type: 'z' } }, 'x', 'y'],
    [{ error: { code: 500, message: 'y', type: 'z' } }, 'z', 'y'],
    [{ detail: 'not ready' }, null, 'not ready'],
    [{ detail: [{ loc: ['body', 'n'], msg: 'too many' }] }, null, 'n: too many'],
    [undefined, null, null],
  ])('is read from %j', (json, code, words) => {
    expect(readRejection(json)).toEqual({ code, words })
  })
})
