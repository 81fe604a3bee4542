import { describe, expect, it } from 'vitest'
import { createLogger, type LoggerOptions, scrubSecrets } from '../../src/logger.ts'
import { Secret } from '../../src/secret.ts'

function lines(options: Partial<LoggerOptions> = {}) {
  const written: string[] = []
  const logger = createLogger({ level: 'info', destination: { write: (line) => written.push(line) }, ...options })
  return { logger, written }
}

describe('the logger', () => {
  it('writes one JSON line for each call, with its fields', () => {
    const { logger, written } = lines()
    logger.child({ requestId: 'r1' }).info({ generationId: 'gen_1' }, 'A generation was\nqueued.')
    expect(written).toHaveLength(1)
    expect(written[0]?.match(/\n/g)).toHaveLength(1)
    expect(JSON.parse(written[0] ?? '')).toMatchObject({
      level: 'info',
      requestId: 'r1',
      generationId: 'gen_1',
      msg: 'A generation was\nqueued.',
    })
  })

  it('leaves out what is below its level', () => {
    const { logger, written } = lines({ level: 'warn' })
    logger.info({}, 'quiet')
    logger.warn({}, 'loud')
    expect(written).toHaveLength(1)
  })

  it('writes text for people when asked to, with the same scrubbing', () => {
    const { logger, written } = lines({ pretty: true })
    logger.info({ note: 'sk-live-0123456789' }, 'hello')
    expect(written.join()).toContain('hello')
    expect(written.join()).not.toMatch(/^\{|sk-live/)
  })

  it('tells an error with its cause', () => {
    const { logger, written } = lines()
    logger.error({ error: new Error('outer', { cause: new Error('inner') }) }, 'It failed.')
    expect(written[0]).toContain('outer')
    expect(written[0]).toContain('inner')
  })

  it.each([
    ['a secret', { key: new Secret('abc-very-private') }, 'abc-very-private'],
    ['a field of a telling name', { apiKey: 'plainlooking' }, 'plainlooking'],
    ['such a field one level down', { headers: { authorization: 'plainlooking' } }, 'plainlooking'],
    ['a key deep inside', { a: { b: { c: ['sk-proj-0123456789abcdef'] } } }, 'sk-proj-0123456789'],
    [
      'a key in the text of an error',
      { error: new Error('Incorrect API key provided: sk-abcdefghij.') },
      'sk-abcdefghij',
    ],
  ])('hides %s', (_what, fields, plain) => {
    const { logger, written } = lines()
    logger.error(fields, 'It failed.')
    expect(written[0]).not.toContain(plain)
    expect(written[0]).toContain('[secret]')
  })
})

describe('the scrubber', () => {
  it.each([
    'pk_live0123456789',
    'sk-ant-api03-abcdefgh',
    'r8_0123456789abcdef',
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'AIzaSyA0123456789abcdefghijklmnopqrstu',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
    '018f2b6c-1111-2222-3333-444455556666:0123456789abcdef0123456789abcdef',
  ])('takes out %s', (secret) => {
    expect(scrubSecrets(`before ${secret} after`)).toBe('before [secret] after')
  })

  it('takes out what follows Bearer, and signatures in addresses', () => {
    expect(scrubSecrets('authorization: Bearer abcdef0123456789')).toBe('authorization: Bearer [secret]')
    expect(scrubSecrets('/images/a.png?w=1&sig=abcdef&x=2')).toBe('/images/a.png?w=1&sig=[secret]&x=2')
  })

  it('takes out the password in the address of a database', () => {
    expect(scrubSecrets('postgres://pictor:hunter2@db:5432/pictor')).toBe('postgres://pictor:[secret]@db:5432/pictor')
    expect(scrubSecrets('http://127.0.0.1:4000/graphql?at=a@b')).toBe('http://127.0.0.1:4000/graphql?at=a@b')
  })

  it('takes out what it was told of, whatever that looks like and wherever it stands', () => {
    const known = 'plain "words" as a key'
    const { logger, written } = lines({ secrets: [new Secret(known), new Secret('short')] })
    logger.error({ error: new Error(`refused ${known}`), [known]: 1 }, `A short word of ${known}.`)
    expect(written.join()).not.toContain('words')
    expect(written.join()).toContain('A short word of [secret].')
  })

  it.each(['gen_018f2b6c', 'key_018f2b6c9a7b', 'a task-list of sk-', 'Bearer x', 'risk-averse-approach'])(
    'leaves %s alone',
    (text) => {
      expect(scrubSecrets(text)).toBe(text)
    },
  )
})
