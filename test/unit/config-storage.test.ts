import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { listSecrets } from '../../src/config-secrets.ts'

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIA1', AWS_SECRET_ACCESS_KEY: 'kept-to-itself' }
const read = (environment: Readonly<Record<string, string>>) => readConfig(environment).storage

describe('the storage', () => {
  it('is a folder of the data directory, or another one', () => {
    expect(read({ PICTOR_DATA_DIR: '/data' })).toEqual({ kind: 'file', directory: '/data/images' })
    expect(read({ STORAGE_URL: 'file:/pictures' })).toEqual({ kind: 'file', directory: '/pictures' })
  })

  it('is a bucket of Amazon, or a folder of one anywhere', () => {
    const amazon = { kind: 's3', bucket: 'pictures', prefix: '', endpoint: null, pathStyle: false, credentials: null }
    expect(read({ STORAGE_URL: 's3://pictures' })).toMatchObject({ ...amazon, region: 'us-east-1' })
    expect(read({ STORAGE_URL: 's3://pictures', AWS_REGION: 'eu-west-1' })).toMatchObject({ region: 'eu-west-1' })
    const url = 's3://pictures/a/b/?region=fsn1&endpoint=https://s3.example.com:9000/'
    expect(read({ STORAGE_URL: url, AWS_REGION: 'eu-west-1' })).toMatchObject({
      prefix: 'a/b/',
      region: 'fsn1',
      endpoint: 'https://s3.example.com:9000',
      pathStyle: true,
    })
    expect(read({ STORAGE_URL: `${url}&style=virtual` })).toMatchObject({ pathStyle: false })
  })

  it.each([
    ['ftp://pictures', 'must be file:<path> or s3://<bucket>/<prefix>'],
    ['file:', 'must be file:<path>'],
    ['s3://', 'must have a bucket of 3 to 63'],
    ['s3://Pictures', 'must have a bucket of 3 to 63 small letters'],
    ['s3://pictures/a b', 'must have a prefix of plain letters'],
    ['s3://pictures/a//b', 'must have a prefix of plain letters'],
    ['s3://pictures?zone=a', 'knows no parameter `zone`'],
    ['s3://pictures?endpoint=s3.example.com', 'must have an http(s) URL as its endpoint'],
    ['s3://pictures?style=dns', 'must have `path` or `virtual` as its style'],
    ['s3://AKIA1:kept-to-itself@pictures', 'must hold no keys: set AWS_ACCESS_KEY_ID'],
  ])('is not %s', (url, message) => {
    expect(() => read({ STORAGE_URL: url })).toThrow(`STORAGE_URL ${message}`)
    expect(() => read({ STORAGE_URL: url })).not.toThrow(/kept-to-itself/)
  })

  it('has its keys together, and never in a log', () => {
    const env = { STORAGE_URL: 's3://pictures', ...KEYS, AWS_SESSION_TOKEN: 'for-an-hour' }
    expect(listSecrets(readConfig(env)).map((secret) => secret.reveal())).toEqual(['kept-to-itself', 'for-an-hour'])
    expect(JSON.stringify(read(env))).not.toMatch(/kept|hour/)
    const half = { STORAGE_URL: 's3://pictures', AWS_ACCESS_KEY_ID: 'AKIA1' }
    expect(() => read(half)).toThrow('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together')
  })

  it('hands out by itself, by addresses of the store, or by what stands before it', () => {
    const delivery = (text: string) =>
      read({ STORAGE_URL: 's3://pictures', ...(text !== '' && { STORAGE_PUBLIC_URL: text }) })
    expect(delivery('')).toMatchObject({ delivery: { kind: 'pictor' } })
    expect(delivery('presigned')).toMatchObject({ delivery: { kind: 'presigned', endpoint: null } })
    const elsewhere = { kind: 'presigned', endpoint: 'https://s3.example.com' }
    expect(delivery('presigned:https://s3.example.com')).toMatchObject({ delivery: elsewhere })
    const cdn = { kind: 'public', baseUrl: 'https://cdn.example.com/a' }
    expect(delivery('https://cdn.example.com/a/')).toMatchObject({ delivery: cdn })
    expect(() => delivery('cdn.example.com')).toThrow('STORAGE_PUBLIC_URL must be `presigned`')
    expect(() => read({ STORAGE_PUBLIC_URL: 'presigned' })).toThrow('STORAGE_PUBLIC_URL is for an S3 bucket')
  })
})
