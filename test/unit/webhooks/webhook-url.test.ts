import { expect, it } from 'vitest'
import { findUrlFault } from '../../../src/webhooks/webhook-url.ts'

it.each(['https://app.example.com/hooks', 'https://app.example.com:8443/a?b=c', 'https://93.184.216.34/'])(
  'takes %s',
  (url) => {
    expect(findUrlFault(url, [])).toBeNull()
  },
)

it.each([
  ['http://app.example.com/hooks', 'https://'],
  ['https://localhost/hooks', 'public'],
  ['https://app.localhost/', 'public'],
  ['https://metadata.google.internal/', 'public'],
  ['https://127.0.0.1/', 'public'],
  ['https://2130706433/', 'public'],
  ['https://0x7f.1/', 'public'],
  ['https://[::1]/', 'public'],
  ['https://[::ffff:10.0.0.1]/', 'public'],
  ['https://169.254.169.254/latest', 'public'],
  ['https://user:pass@app.example.com/', 'password'],
  ['ftp://app.example.com/', 'absolute URL'],
  ['/hooks', 'absolute URL'],
  [`https://app.example.com/${'a'.repeat(2_048)}`, 'absolute URL'],
])('refuses %s and says why', (url, why) => {
  expect(findUrlFault(url, [])).toContain(why)
})

it('takes what the operator names, and nothing beside it', () => {
  const own = ['http://billing.internal:8080']
  expect(findUrlFault('http://billing.internal:8080/hooks', own)).toBeNull()
  expect(findUrlFault('http://billing.internal:9090/hooks', own)).not.toBeNull()
  expect(findUrlFault('https://billing.internal/hooks', own)).not.toBeNull()
})
