import { mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLocalStorage } from '../../../src/storage/local-storage.ts'

const BYTES = Buffer.from('bytes')

describe('local storage', () => {
  let parent: string
  let directory: string
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'pictor-local-'))
    directory = join(parent, 'data', 'images')
  })
  afterEach(() => rm(parent, { recursive: true, force: true }))

  it('touches nothing before it is used', async () => {
    createLocalStorage({ directory })
    expect(await readdir(parent)).toEqual([])
  })

  it('keeps files and folders to its own user', async () => {
    await createLocalStorage({ directory }).put('gen_a/1.png', BYTES)
    const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)
    expect(await modeOf(join(directory, 'gen_a/1.png'))).toBe('600')
    for (const folder of ['gen_a', '.tmp', '.']) expect(await modeOf(join(directory, folder))).toBe('700')
  })

  it('takes empty folders away with their last blob', async () => {
    const storage = createLocalStorage({ directory })
    await storage.put('variants/gen_a/aa/w1.png', BYTES)
    await storage.put('gen_a/1.png', BYTES)
    await storage.delete('variants/gen_a/aa/w1.png')
    await storage.deletePrefix('gen_a/')
    expect(await readdir(directory)).toEqual(['.tmp'])
    expect(await readdir(join(directory, '.tmp'))).toEqual([])
  })

  it('sweeps what a crash left, spares what another process may be writing, and lists neither', async () => {
    const work = join(directory, '.tmp')
    await mkdir(join(work, 'old-folder'), { recursive: true })
    await writeFile(join(work, 'old-folder', 'half'), BYTES)
    await writeFile(join(work, 'old'), BYTES)
    await writeFile(join(work, 'young'), BYTES)
    const yesterday = new Date(Date.now() - 24 * 3600 * 1000)
    for (const name of ['old', 'old-folder']) await utimes(join(work, name), yesterday, yesterday)
    const storage = createLocalStorage({ directory })
    const listed: string[] = []
    for await (const blob of storage.list('')) listed.push(blob.key)
    expect(listed).toEqual([])
    await storage.check()
    expect(await readdir(work)).toEqual(['young'])
  })

  it('sweeps them again when it is told to, and says how many there were', async () => {
    const storage = createLocalStorage({ directory })
    expect(await storage.removeLeftovers()).toBe(0)
    await storage.check()
    const work = join(directory, '.tmp')
    for (const name of ['old', 'young']) await writeFile(join(work, name), BYTES)
    const yesterday = new Date(Date.now() - 24 * 3600 * 1000)
    await utimes(join(work, 'old'), yesterday, yesterday)
    expect(await storage.removeLeftovers()).toBe(1)
    expect(await readdir(work)).toEqual(['young'])
  })

  it('takes a file for as old as it has been here, whatever time its original had', async () => {
    const storage = createLocalStorage({ directory })
    const before = Date.now() - 1000
    await storage.put('gen_a/1.png', BYTES)
    const yesterday = new Date(Date.now() - 24 * 3600 * 1000)
    await utimes(join(directory, 'gen_a/1.png'), yesterday, yesterday)
    expect((await storage.find('gen_a/1.png'))?.modifiedAt).toBeGreaterThan(before)
  })

  it('leaves no temporary file behind when a write fails', async () => {
    const storage = createLocalStorage({ directory })
    await storage.put('gen_a/1.png', BYTES)
    await expect(storage.put('gen_a', BYTES)).rejects.toThrow()
    expect(await readdir(join(directory, '.tmp'))).toEqual([])
    expect(await storage.get('gen_a/1.png')).toEqual(BYTES)
  })

  it('fails its check while the directory cannot be made, and works once it can', async () => {
    await writeFile(join(parent, 'data'), 'a file in the way')
    const storage = createLocalStorage({ directory })
    await expect(storage.check()).rejects.toThrow(/ENOTDIR|EEXIST/)
    await rm(join(parent, 'data'))
    await storage.check()
  })

  it('does not list links that lead out of it', async () => {
    const storage = createLocalStorage({ directory })
    await storage.put('gen_a/1.png', BYTES)
    await mkdir(join(parent, 'outside'))
    await writeFile(join(parent, 'outside', 'secret'), 'x')
    await symlink(join(parent, 'outside'), join(directory, 'gen_a', 'outside'))
    const listed: string[] = []
    for await (const blob of storage.list('')) listed.push(blob.key)
    expect(listed).toEqual(['gen_a/1.png'])
  })
})
