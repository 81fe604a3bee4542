import { describe, expect, it } from 'vitest'
import {
  toAnswerFailure as toArkFailure,
  toPictureFailure,
} from '../../../src/providers/bytedance/bytedance-failures.ts'
import { FalVerdict, toResultFailure, toStatusError } from '../../../src/providers/fal/fal-failures.ts'
import { toAnswerFailure as toCompatibleFailure } from '../../../src/providers/openai-compatible/openai-compatible-failures.ts'
import { readAnswer } from '../../../src/providers/wire/vendor-http.ts'

const answerOf = (body: object) => readAnswer(new Response(JSON.stringify(body), { status: 400 }))

describe.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])('the code %s of a vendor', (code) => {
  it('is one that nobody knows (ByteDance)', async () => {
    expect(toArkFailure(await answerOf({ error: { code } }), 0).kind).toBe('INVALID_REQUEST')
    expect(toPictureFailure({ code, message: null }, null).kind).toBe('UNAVAILABLE')
  })

  it('is one that nobody knows (fal)', async () => {
    const verdict = toResultFailure(await answerOf({ detail: 'No.', error_type: code }), 'job-1', 0)
    expect(verdict).toBeInstanceOf(FalVerdict)
    expect(verdict).toMatchObject({ failure: { kind: 'INVALID_REQUEST', providerCode: code } })
    expect(toStatusError({ status: 'COMPLETED', error: 'No.', errorType: code }, 'job-1')?.kind).toBe('UNAVAILABLE')
  })

  it('is one that nobody knows (a server like OpenAI’s)', async () => {
    expect(toCompatibleFailure('Shed', await answerOf({ error: { code } }), 0).kind).toBe('INVALID_REQUEST')
  })
})
