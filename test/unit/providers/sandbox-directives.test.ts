import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { ProviderError } from '../../../src/providers/provider-error.ts'
import { DIRECTIVE_NAMES } from '../../../src/providers/sandbox/directive-values.ts'
import { readDirectives } from '../../../src/providers/sandbox/directives.ts'

const read = (prompt: string, count = 4, attemptNumber = 1) => readDirectives(prompt, count, attemptNumber)

function refusalOf(prompt: string): ProviderError {
  try {
    read(prompt)
  } catch (error) {
    if (error instanceof ProviderError) return error
    throw error
  }
  return expect.unreachable('The directives should have been refused.')
}

describe('sandbox directives', () => {
  it('change nothing where there are none', () => {
    const { prompt, directives } = read('  a fox [[in]]\n snow ')
    expect(prompt).toBe('  a fox [[in]]\n snow ')
    expect(directives).toEqual({
      delayMs: 1200,
      steps: 8,
      failure: null,
      images: null,
      failImages: null,
      hang: false,
      broken: null,
      unknown: false,
      sync: false,
      revise: null,
    })
  })

  it('are taken out of the prompt, wherever they stand and in how many blocks', () => {
    const { prompt, directives } = read('[[sandbox delay=5]] a fox [[ SANDBOX Steps=3 ]] in snow')
    expect(prompt).toBe('a fox in snow')
    expect(directives).toMatchObject({ delayMs: 5, steps: 3 })
  })

  it('say how and where a call fails', () => {
    const { directives } = read('[[sandbox fail=Rate_Limited at=running retry-after=3000]]')
    expect(directives.failure).toEqual({ kind: 'RATE_LIMITED', stage: 'running', retryAfterMs: 3000 })
  })

  it.each([
    ['refused', 'submit'],
    ['timeout', 'running'],
    ['bad_output', 'output'],
  ])('know where %s fails by itself', (kind, stage) => {
    expect(read(`[[sandbox fail=${kind}]]`).directives.failure?.stage).toBe(stage)
  })

  it('bring trouble for as many attempts as they say, and no longer', () => {
    const text = '[[sandbox fail-image=1 images=2 hang broken times=2 delay=7 sync]]'
    expect(read(text, 4, 2).directives).toMatchObject({ images: 2, hang: true, broken: 'cut' })
    expect(read(text, 4, 3).directives).toMatchObject({
      images: null,
      failImages: null,
      hang: false,
      broken: null,
      delayMs: 7,
      sync: true,
    })
  })

  it('let single images fail in place of the call', () => {
    const { directives } = read('[[sandbox fail-image=0,3 fail=bad_output]]')
    expect(directives).toMatchObject({ failure: null, failImages: { indexes: [0, 3], kind: 'BAD_OUTPUT' } })
  })

  it('take text in quotes as it is', () => {
    expect(read('a [[sandbox revise="b ]] = c"]] d')).toMatchObject({
      prompt: 'a d',
      directives: { revise: 'b ]] = c' },
    })
  })

  it('list what there is when one is unknown', () => {
    const refusal = refusalOf('[[sandbox dealy=5]]')
    expect(refusal).toMatchObject({ kind: 'INVALID_REQUEST', delivery: 'NOT_SENT' })
    for (const name of ['"dealy"', ...DIRECTIVE_NAMES]) expect(refusal.message).toContain(name)
  })

  it.each([
    ['delay=-1', '"delay" takes a whole number of milliseconds from 0 to 3600000; it was given "-1"'],
    ['delay=1.5', '"delay"'],
    ['delay', 'no value'],
    ['delay=', '"delay"'],
    ['steps=0', '"steps"'],
    ['fail=nonsense', 'refused, rate_limited'],
    ['fail=refused at=home', 'before-send, submit, running, output'],
    ['images=11', '"images"'],
    ['fail-image=x', '"fail-image"'],
    ['fail-image=4', 'names image 4; the images are 0 to 3'],
    ['hang=1', '"hang" takes no value'],
    ['broken=maybe', '"broken"'],
    ['revise=""', '"revise"'],
    ['revise="open', 'a quote or the closing ]] is missing'],
    ['revise=', '"revise" takes text'],
    ['at=submit', '"at" says how "fail" fails'],
    ['retry-after=1', '"retry-after" says how "fail" fails'],
    ['times=1', '"times" counts trouble'],
    ['fail=refused unknown', 'exclude each other'],
    ['fail=refused fail-image=1 at=running', 'exclude each other'],
    ['delay=1 delay=2', 'given twice'],
  ])('refuse %s', (directives, message) => {
    expect(refusalOf(`a fox [[sandbox ${directives}]]`).message).toContain(message)
  })

  it('refuse a block that is not closed', () => {
    expect(refusalOf('a fox [[sandbox delay=5').message).toContain('not closed: a quote or the closing ]] is missing')
  })

  it('are all documented, with examples that work', async () => {
    const document = await readFile(new URL('../../../docs/sandbox.md', import.meta.url), 'utf8')
    const examples = (document.match(/\[\[sandbox[^\]]*\]\]/g) ?? []).join('\n')
    for (const name of DIRECTIVE_NAMES) {
      expect(document).toMatch(new RegExp(`\\| \`${name}[=\`]`))
      expect(examples).toMatch(new RegExp(`[ ]${name}[ =\\]]`))
    }
    for (const example of examples.split('\n')) expect(read(example).prompt).toBe('')
  })
})
