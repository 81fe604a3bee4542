import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCommand, startCommand } from '../support/run-command.ts'
import { startServerProcess } from '../support/server-process.ts'

const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

let directory: string
/** Port 0: no server is looked for but the one that runs on the data directory. */
let env: Record<string, string>

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pictor-cli-'))
  env = { PICTOR_DATA_DIR: join(directory, 'data'), PORT: '0' }
})

afterEach(() => rm(directory, { recursive: true, force: true }))

async function readJson(args: readonly string[], extra: Record<string, string> = {}) {
  const { code, stdout, stderr } = await runCommand([...args, '--json'], { ...env, ...extra })
  return { code, stderr, document: JSON.parse(stdout) }
}

describe('pictor generate', () => {
  it('makes a picture with no server running, and prints path, cost and time', async () => {
    const { code, stdout, stderr } = await runCommand(
      ['generate', 'a', 'red', 'fox', 'in', 'snow', '--size', '256x256', '--out', `${directory}/out/`],
      env,
    )
    expect({ code, stderr }).toMatchObject({ code: 0 })
    const [name = ''] = await readdir(join(directory, 'out'))
    expect(name).toMatch(/^pictor-a-red-fox-in-snow-[0-9a-f]{6}\.png$/)
    const bytes = await readFile(join(directory, 'out', name))
    expect(bytes.subarray(0, 8)).toEqual(PNG_SIGNATURE)
    expect(bytes.readUInt32BE(16)).toBe(256)
    expect(stdout).toContain(join(directory, 'out', name))
    expect(stdout).toMatch(/cost 0\.00 USD, time \d+\.\d s/)
    const order = ['QUEUED', 'STARTED', 'IMAGE_READY', 'COMPLETED'].map((kind) => stderr.indexOf(`  ${kind}`))
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    expect(order).not.toContain(-1)
  })

  it('overwrites nothing and numbers several pictures', async () => {
    const args = ['generate', 'fox', '--size', '64x64', '--count', '2', '--format', 'webp']
    await writeFile(join(directory, 'fox-1.webp'), 'mine')
    const { code, document } = await readJson([...args, '--out', join(directory, 'fox.webp')])
    expect(code).toBe(0)
    expect(document.generation.status).toBe('COMPLETED')
    expect(document.files.map((file: { path: string }) => file.path)).toEqual([
      join(directory, 'fox-1-2.webp'),
      join(directory, 'fox-2.webp'),
    ])
    expect(await readFile(join(directory, 'fox-1.webp'), 'utf8')).toBe('mine')
  })

  it('ends with 2 and names the sizes that would do', async () => {
    const args = ['generate', 'fox', '--model', 'sandbox/postcard', '--format', 'jpeg', '--size', '3x3']
    const { code, stdout, stderr } = await runCommand(args, env)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^ {2}size: .*Allowed: \d+x\d+, \d+x\d+\.$/m)
    const { document } = await readJson(args)
    expect(document.error).toMatchObject({ code: 'INVALID_INPUT', fields: [{ path: 'size' }] })
  })

  it('ends with 1 and the reason when the generation fails', async () => {
    const { code, stderr, document } = await readJson(['generate', 'fox [[sandbox fail=refused]]'])
    expect(code).toBe(1)
    expect(document).toMatchObject({ generation: { status: 'FAILED', error: { code: 'REFUSED' } }, files: [] })
    expect(stderr).toContain(document.generation.error.message)
  })

  it('ends with 2 for what it does not know, with one JSON document all the same', async () => {
    expect(await readJson(['generate'])).toMatchObject({ code: 2, document: { error: { code: 'USAGE' } } })
    expect((await runCommand(['generate', 'fox', '--seed', '1.5'], env)).code).toBe(2)
    expect((await runCommand(['generate', 'fox', '--no-watch'], env)).code).toBe(2)
    expect((await runCommand(['genrate', 'fox'], env)).stderr).toContain('Did you mean generate?')
  })

  it('cancels at Ctrl-C, once for one that arrives twice, and says what it cost', async () => {
    const command = startCommand(['generate', 'fox [[sandbox delay=60000]]'], env)
    await command.untilNote('STARTED')
    command.child.kill('SIGINT')
    command.child.kill('SIGINT')
    const { code, stderr } = await command.result
    expect(code).toBe(1)
    expect(stderr).toMatch(/Canceled\. .*(costs nothing|pays nothing)\./)
    expect(stderr).toContain('  CANCELED')
    expect(await readJson(['history'])).toMatchObject({ document: { generations: [{ status: 'CANCELED' }] } })
  })
})

describe('pictor beside a running server', () => {
  it('uses the server that runs on the same data', async () => {
    await using server = await startServerProcess(env)
    const accepted = await readJson(['generate', 'fox', '--size', '64x64', '--no-watch'])
    expect(accepted).toMatchObject({ code: 0, document: { generation: { status: 'QUEUED' } } })
    const made = await readJson(['generate', 'fox', '--size', '64x64', '--out', `${directory}/`])
    expect(made.code).toBe(0)
    expect(new URL(made.document.generation.images[0].url).port).toBe(String(server.port))
    const history = await readJson(['history', '--first', '1'], { PICTOR_URL: server.url })
    expect(history.document).toMatchObject({ generations: [{ id: made.document.generation.id }], hasNextPage: true })
  })

  it('tells each transition once when the server is killed meanwhile', async () => {
    await using server = await startServerProcess({ ...env, LOG_LEVEL: 'error' })
    const command = startCommand(
      ['generate', 'fox [[sandbox delay=3000]]', '--size', '64x64', '-o', `${directory}/`],
      env,
    )
    await command.untilNote('STARTED')
    await server.kill('SIGKILL')
    await server.restart()
    const { code, stderr } = await command.result
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(stderr.match(/ {2}(QUEUED|IMAGE_READY|COMPLETED)/g)).toEqual(['  QUEUED', '  IMAGE_READY', '  COMPLETED'])
  })

  it('needs the key from the moment that one is made', async () => {
    await using server = await startServerProcess(env)
    expect((await readJson(['models'])).code).toBe(0)
    const created = await runCommand(['keys', 'create', '--name', 'shop'], env)
    expect(created).toMatchObject({ code: 0, stderr: expect.stringContaining('only time that the secret is shown') })
    const [secret = ''] = created.stdout.split('\n')
    expect(secret).toMatch(/^pk_/)
    const refused = await runCommand(['models'], env)
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('--key') })
    expect((await readJson(['models', '--key', secret])).document.models.length).toBeGreaterThan(0)
    expect((await readJson(['history', '--url', new URL(server.url).origin], { PICTOR_KEY: secret })).code).toBe(0)
    const { document } = await readJson(['keys', 'list'])
    expect(document.apiKeys).toMatchObject([{ name: 'shop', scopes: ['generate', 'read'], revokedAt: null }])
    expect(JSON.stringify(document)).not.toContain(secret)
  })
})

describe('pictor, asking', () => {
  it('lists models, estimates and history as one JSON document each', async () => {
    const { document } = await readJson(['models', 'postcard'])
    expect(document.models.map((model: { id: string }) => model.id)).toEqual(['sandbox/postcard'])
    const estimate = await readJson(['estimate', 'fox', '--count', '3'])
    expect(estimate.document.estimate).toMatchObject({ model: { id: 'sandbox/painter' }, lines: [{ quantity: '3' }] })
    expect((await readJson(['history'])).document).toMatchObject({ generations: [], hasNextPage: false })
  })

  it('prints all faults of the configuration, one a line', async () => {
    const { code, stderr } = await runCommand(['models'], { ...env, PORT: 'many', PICTOR_AUTH: 'never' })
    expect(code).toBe(2)
    expect(stderr).toMatch(/^ {2}PORT must .*\n {2}PICTOR_AUTH must /m)
  })

  it('starts through bin/pictor.mjs', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(await startCommand(['--version'], env, 'bin/pictor.mjs').result).toMatchObject({
      code: 0,
      stdout: `${version}\n`,
    })
    expect(await startCommand(['models', '--first'], env, 'bin/pictor.mjs').result).toMatchObject({ code: 2 })
  })
})

describe('pictor keys and accounts', () => {
  it('revokes a key', async () => {
    const created = await readJson(['keys', 'create', '--name', 'ci', '--expires', '30d', '--daily-spend', '2.5'])
    const { secret, apiKey } = created.document
    expect(apiKey).toMatchObject({ dailySpend: '2.500000', accountId: 'acc_local' })
    expect(Date.parse(apiKey.expiresAt) - Date.parse(apiKey.createdAt)).toBeGreaterThan(29 * 86_400_000)
    expect((await readJson(['models', '--key', secret])).code).toBe(0)
    expect((await runCommand(['keys', 'revoke', apiKey.id], env)).code).toBe(0)
    expect((await readJson(['models', '--key', secret])).document.error.code).toBe('UNAUTHENTICATED')
    expect((await runCommand(['keys', 'revoke', 'key_none'], env)).code).toBe(2)
  })

  it('grants credit, which changes the balance while a server runs', async () => {
    await using server = await startServerProcess(env)
    const created = await readJson(['accounts', 'create', '--name', 'Acme', '--prepaid', '--credit', '10'])
    const { id } = created.document.account
    expect(created.document.account).toMatchObject({ billing: 'PREPAID', balance: '10.000000', currency: 'USD' })
    const granted = await readJson(['accounts', 'grant', id, '2.25', '--note', 'Invoice 17'])
    expect(granted.document.account.balance).toBe('12.250000')
    const { secret } = (await readJson(['keys', 'create', '--name', 'k', '--account', id])).document
    const { document } = await readJson(['estimate', 'fox', '--key', secret, '--url', server.url])
    expect(document.estimate.balance.amount).toBe('12.250000')
    expect((await readJson(['accounts', 'list'])).document.accounts).toHaveLength(2)
  })

  it('refuses what cannot be, with the field that is at fault', async () => {
    expect((await runCommand(['accounts', 'grant', 'acc_none', '5'], env)).code).toBe(2)
    expect((await runCommand(['accounts', 'grant', 'acc_local', '0'], env)).code).toBe(2)
    expect((await runCommand(['accounts', 'create', '--name', 'x'], env)).code).toBe(2)
    const { code, document } = await readJson(['keys', 'create', '--name', 'x', '--scopes', 'everything'])
    expect(code).toBe(2)
    expect(document.error.fields).toMatchObject([{ path: 'scopes.0', allowed: ['generate', 'read', 'admin'] }])
  })
})

describe('pictor doctor', () => {
  it('finds nothing to mend on a fresh machine, and changes nothing', async () => {
    const { code, document } = await readJson(['doctor'])
    expect(document.checks.filter((check: { ok: boolean }) => !check.ok)).toEqual([])
    expect(code).toBe(0)
    expect(await readdir(directory)).toEqual([])
  })

  it('checks a server that runs', async () => {
    await using server = await startServerProcess(env)
    const { code, stdout } = await runCommand(['doctor'], env)
    expect(code).toBe(0)
    expect(stdout).toContain(`a Pictor answers at ${server.url}`)
    expect(stdout).toContain('sound and up to date')
  })

  it('reports every fault of a broken configuration with the variable to mend', async () => {
    const { code, stdout } = await runCommand(['doctor'], { ...env, PORT: '70000', PICTOR_USD_RATE: '0' })
    expect(code).toBe(1)
    expect(stdout).toMatch(/✗ .*PORT must/)
    expect(stdout).toMatch(/✗ .*PICTOR_USD_RATE must/)
  })

  it('reports a secret that others can read, a damaged database and missing keys', async () => {
    await mkdir(join(directory, 'data'), { mode: 0o700 })
    await writeFile(join(directory, 'data', 'secret'), 'x'.repeat(43))
    await chmod(join(directory, 'data', 'secret'), 0o644)
    await writeFile(join(directory, 'data', 'pictor.db'), 'no database at all'.repeat(500))
    const { code, document } = await readJson(['doctor'])
    expect(code).toBe(1)
    const faults = document.checks.filter((check: { ok: boolean }) => !check.ok)
    expect(faults.map((fault: { name: string }) => fault.name)).toEqual(['secret', 'database'])
    expect(faults[0].detail).toContain('chmod 600')
    await rm(join(directory, 'data'), { recursive: true })
    const required = await readJson(['doctor'], { PICTOR_AUTH: 'required' })
    expect(required.document.checks).toContainEqual(expect.objectContaining({ name: 'keys', ok: false }))
  })
})
