import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadServerSecret } from '../../../src/identity/server-secret.ts'
import { Secret } from '../../../src/secret.ts'

let dataDir: string

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'pictor-secret-'))
})
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true })
})

const load = () => loadServerSecret({ configured: null, dataDir })

describe('server secret', () => {
  it('is what is configured, and then nothing is written', async () => {
    const configured = new Secret('x'.repeat(32))
    expect((await loadServerSecret({ configured, dataDir })).reveal()).toBe('x'.repeat(32))
    expect(await readdir(dataDir)).toEqual([])
  })

  it('is refused below 32 bytes, in words that do not hold it', async () => {
    const short = 'tooshort-'.repeat(3)
    const refusal = loadServerSecret({ configured: new Secret(short), dataDir }).catch(String)
    expect(await refusal).toMatch(/PICTOR_SECRET must hold at least 32 bytes/)
    expect(await refusal).not.toContain('tooshort')
    await writeFile(join(dataDir, 'secret'), 'tooshort\n', { mode: 0o600 })
    await expect(load()).rejects.toThrow(/secret must hold at least 32 bytes/)
  })

  it('is made once, for the owner alone, and read from then on', async () => {
    const first = await load()
    expect(Buffer.from(first.reveal(), 'base64url')).toHaveLength(32)
    expect((await stat(join(dataDir, 'secret'))).mode & 0o777).toBe(0o600)
    expect(await readdir(dataDir)).toEqual(['secret'])
    expect((await load()).reveal()).toBe(first.reveal())
    expect((await readFile(join(dataDir, 'secret'), 'utf8')).trim()).toBe(first.reveal())
  })

  it('is the same for all that start at once', async () => {
    const secrets = await Promise.all(Array.from({ length: 20 }, load))
    expect(new Set(secrets.map((secret) => secret.reveal())).size).toBe(1)
    expect(await readdir(dataDir)).toEqual(['secret'])
  })

  it('makes the data directory where there is none', async () => {
    const inner = join(dataDir, 'a', 'b')
    await loadServerSecret({ configured: null, dataDir: inner })
    expect(await readdir(inner)).toEqual(['secret'])
    expect((await stat(inner)).mode & 0o777).toBe(0o700)
  })

  it('is refused when others can read it', async () => {
    await load()
    await chmod(join(dataDir, 'secret'), 0o640)
    await expect(load()).rejects.toThrow(/chmod 600/)
  })

  it('says what to do where it cannot be written', async () => {
    await writeFile(join(dataDir, 'file'), '')
    const refusal = loadServerSecret({ configured: null, dataDir: join(dataDir, 'file') })
    await expect(refusal).rejects.toThrow(/secret.*(cannot be|PICTOR_SECRET)/)
  })
})
