import { existsSync } from 'node:fs'
import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import lock from '../../package-lock.json' with { type: 'json' }
import { generate, make, QUICK, quick } from '../support/generating.ts'
import { createGraphqlClient } from '../support/graphql-client.ts'
import { createScratchFolder } from '../support/scratch-folder.ts'
import { startServerProcess } from '../support/server-process.ts'
import { createTinyPng } from '../support/tiny-png.ts'
import { askUpload } from '../support/uploading.ts'

type Locked = {
  readonly version?: string
  readonly integrity?: string
  readonly resolved?: string
  readonly link?: boolean
  readonly hasInstallScript?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

it('A57 what is installed is what is locked, to the byte, and runs no script that is not named', async () => {
  const packages: Readonly<Record<string, Locked>> = lock.packages
  const asked = { ...manifest.dependencies, ...manifest.devDependencies }
  expect(packages['']?.dependencies).toEqual(manifest.dependencies)
  expect(packages['']?.devDependencies).toEqual(manifest.devDependencies)
  for (const [name, version] of Object.entries(asked)) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/)
    expect(packages[`node_modules/${name}`]?.version, name).toBe(version)
  }
  const others = Object.entries(packages).filter(([path]) => path !== '')
  expect(
    others.filter(([, { integrity, link }]) => !link && !/^sha512-/.test(integrity ?? '')).map(([path]) => path),
  ).toEqual([])
  expect(
    others
      .filter(([, { resolved }]) => resolved !== undefined && !resolved.startsWith('https://'))
      .map(([path]) => path),
  ).toEqual([])
  const withScripts = others
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .map(([path]) => path.replace(/^.*node_modules\//, ''))
  const decided = Object.keys(manifest.allowScripts)
  expect([...new Set(withScripts)].filter((name) => !decided.includes(name) && !isOptional(name))).toEqual([])
  expect(Object.entries(manifest.allowScripts).filter(([, allowed]) => allowed)).toEqual([['node', true]])
})

/** Of an optional package that no machine of ours installs, such as one for another system. */
function isOptional(name: string): boolean {
  return !existsSync(join(import.meta.dirname, '../../node_modules', name))
}

/** With the modes of every file and folder below; as octal text. */
async function listModes(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = [folder, ...entries.map((entry) => join(entry.parentPath, entry.name))]
  return new Map(
    await Promise.all(paths.map(async (path) => [path, ((await stat(path)).mode & 0o777).toString(8)] as const)),
  )
}

it('A58 files are their owner’s alone whatever the mask, and what a kill left behind is swept', async () => {
  const { folder, remove } = await createScratchFolder()
  const dataDir = join(folder, 'data')
  const mask = process.umask(0)
  try {
    const server = await startServerProcess({ PICTOR_DATA_DIR: dataDir, PICTOR_DRAIN_SECONDS: '0' })
    const client = createGraphqlClient({ url: server.url })
    await make(client, QUICK)
    await askUpload(server.url, '', createTinyPng(1))
    await generate(client, quick('delay=600000'))
    const modes = await listModes(dataDir)
    expect(modes.size).toBeGreaterThan(6)
    const folders = (await readdir(dataDir, { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isDirectory(),
    )
    const paths = new Set([dataDir, ...folders.map((entry) => join(entry.parentPath, entry.name))])
    for (const [path, mode] of modes) expect({ path, mode }).toEqual({ path, mode: paths.has(path) ? '700' : '600' })
    await server.kill('SIGKILL')

    // As a write of long ago left it, half done.
    const left = join(dataDir, 'images', '.tmp', 'half-a-picture')
    const longAgo = new Date(Date.now() - 2 * 3_600_000)
    await writeFile(left, 'half', { mode: 0o600 })
    await utimes(left, longAgo, longAgo)
    await server.restart()
    await make(createGraphqlClient({ url: server.url }), QUICK)
    expect(await readdir(join(dataDir, 'images', '.tmp'))).toEqual([])
    expect((await readdir(dataDir)).filter((name) => /tmp|unfinished/.test(name))).toEqual([])
    expect((await readFile(join(dataDir, 'secret'), 'utf8')).trim().length).toBeGreaterThanOrEqual(32)
    await server[Symbol.asyncDispose]()
  } finally {
    process.umask(mask)
    await remove()
  }
})
