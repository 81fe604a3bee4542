import { describe, expect, it } from 'vitest'
import { CallRefusedError } from '../../../../src/transport/call-failures.ts'
import { findEndpoint } from '../../../../src/transport/rest/address.ts'
import { ENDPOINTS } from '../../../../src/transport/rest/endpoints.ts'

function find(method: string, target: string) {
  const { endpoint, id } = findEndpoint(ENDPOINTS, method, target)
  return [endpoint.name, id]
}

describe('an address', () => {
  it.each([
    ['POST', '/v1/images/generations', 'POST /v1/images/generations', ''],
    ['POST', '/v1/images/generations/', 'POST /v1/images/generations', ''],
    ['GET', '/v1/images/generations/gen_1?response_format=url', 'GET /v1/images/generations/{id}', 'gen_1'],
    ['HEAD', '/v1/models', 'GET /v1/models', ''],
    ['GET', '/v1/models/sandbox%2Fpainter', 'GET /v1/models/{id}', 'sandbox/painter'],
    ['GET', '/v1/models/fal/fal-ai/flux/dev', 'GET /v1/models/{id}', 'fal/fal-ai/flux/dev'],
    ['POST', '/v1/images/generations/gen_1/cancel', 'POST /v1/images/generations/{id}/cancel', 'gen_1'],
  ])('%s %s leads to %s', (method, target, name, id) => {
    expect(find(method, target)).toEqual([name, id])
  })

  it.each([
    ['GET', '/v1/images'],
    ['POST', '/v1/images/variations'],
    ['GET', '/v1/images/generations/a/b'],
    ['GET', '/v1/models/%E0%A4%A'],
    ['GET', '//v1/models'],
  ])('%s %s leads nowhere', (method, target) => {
    expect(() => find(method, target)).toThrow('Nothing answers at this address.')
  })

  it.each([
    ['GET', '/v1/images/generations', 'POST'],
    ['DELETE', '/v1/models', 'GET, HEAD'],
    ['PUT', '/v1/images/generations/gen_1', 'GET, HEAD'],
    ['OPTIONS', '/v1/tokens', 'POST'],
  ])('%s %s is told that it takes %s', (method, target, allow) => {
    const attempt = () => find(method, target)
    expect(attempt).toThrow(CallRefusedError)
    expect(attempt).toThrow(expect.objectContaining({ headers: { allow } }))
  })

  it.each([
    'api_key=x',
    'api-key=x',
    'apiKey=x',
    'key=x',
    'token=x',
    'access_token=x',
    'Authorization=x',
    'auth=x',
    'secret=x',
    'q=pk_abc',
    'q=sk-abc',
    'q=Bearer+abc',
    'q=eyJhbGciOi',
  ])('with a key in it is refused: %s', (query) => {
    const attempt = () => find('GET', `/v1/models?${query}`)
    expect(attempt).toThrow('A key has no place in an address')
    expect(attempt).not.toThrow(/abc|eyJhbGci/)
  })
})
