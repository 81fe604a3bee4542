import { afterEach, beforeEach, expect, it } from 'vitest'
import { SetProviderKeyDocument } from '../../schema/generated/operations.ts'
import { createGraphqlClient } from '../support/graphql-client.ts'
import { runCommand } from '../support/run-command.ts'
import { createScratchFolder } from '../support/scratch-folder.ts'
import { startServerProcess } from '../support/server-process.ts'

const OLD = 'the secret of last year of 32 bytes or more'
const NEW = 'the secret of this year of 32 bytes or more'
const OTHER = 'a secret that was never one of this server'

let scratch: Awaited<ReturnType<typeof createScratchFolder>>
beforeEach(async () => {
  scratch = await createScratchFolder()
})
afterEach(() => scratch.remove())

const envOf = (secret: string, previous?: string): Record<string, string> => ({
  PICTOR_DATA_DIR: scratch.folder,
  PORT: '0',
  PICTOR_SECRET: secret,
  ...(previous === undefined ? {} : { PICTOR_SECRET_PREVIOUS: previous }),
})

async function pictor(args: readonly string[], env: Record<string, string>) {
  const { code, stdout, stderr } = await runCommand(['provider-keys', ...args], env)
  return { code, stdout, stderr }
}

async function setKey(env: Record<string, string>): Promise<void> {
  await using server = await startServerProcess(env)
  const client = createGraphqlClient({ url: server.url })
  const { setProviderKey } = await client.run(SetProviderKeyDocument, { provider: 'flux', apiKey: 'a-key-of-our-own' })
  expect(setProviderKey.__typename).toBe('SetProviderKeySuccess')
}

it('lists keys and rewraps them when the secret of the server was changed', { timeout: 60_000 }, async () => {
  expect((await pictor(['list'], envOf(OLD))).stdout).toBe('No account keeps a key for a provider.\n')
  await setKey(envOf(OLD))
  expect((await pictor(['list'], envOf(OLD))).stdout).toMatch(/acc_local +flux .* under PICTOR_SECRET/)

  const lost = await pictor(['rewrap'], envOf(NEW))
  expect(lost).toMatchObject({ code: 1, stdout: 'Encrypted anew: 0. Left as they were: 0.\n' })
  expect(lost.stderr).toContain('the key of acc_local for flux. Name its secret in PICTOR_SECRET_PREVIOUS')
  expect((await pictor(['list'], envOf(NEW, OTHER))).stdout).toContain('cannot be read')

  expect((await pictor(['list'], envOf(NEW, OLD))).stdout).toContain('under an earlier secret')
  const { code, stdout } = await pictor(['rewrap', '--json'], envOf(NEW, `${OTHER}, ${OLD}`))
  expect({ code, document: JSON.parse(stdout) }).toEqual({
    code: 0,
    document: { rewrapped: 1, unchanged: 0, unreadable: [] },
  })
  expect((await pictor(['list'], envOf(NEW))).stdout).toContain('under PICTOR_SECRET')
  const { stdout: listed } = await pictor(['list', '--json'], envOf(NEW))
  expect(JSON.parse(listed)).toMatchObject({ providerKeys: [{ accountId: 'acc_local', state: 'CURRENT' }] })
  expect(listed).not.toContain('own')
})

it('names the variable of an earlier secret that is too short', async () => {
  const { code, stderr } = await pictor(['list'], envOf(NEW, `${OLD},short`))
  expect(code).toBe(2)
  expect(stderr).toContain('PICTOR_SECRET_PREVIOUS must be secrets of at least 32 bytes each, parted by commas.')
  expect(stderr).not.toContain('last year')
})
