import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DeleteGenerationDocument, GenerationDocument } from '../../schema/generated/operations.ts'
import { openDatabase } from '../../src/store/database.ts'
import { assertInvariantsOf } from '../support/data-directory.ts'
import { make, quick } from '../support/generating.ts'
import { createGraphqlClient, type GraphqlClient } from '../support/graphql-client.ts'
import { runCommand } from '../support/run-command.ts'
import { createScratchFolder } from '../support/scratch-folder.ts'
import { startServerProcess } from '../support/server-process.ts'

let scratch: Awaited<ReturnType<typeof createScratchFolder>>
let source: string
let backups: string
let restored: string

beforeEach(async () => {
  scratch = await createScratchFolder()
  source = join(scratch.folder, 'source')
  backups = join(scratch.folder, 'backups')
  restored = join(scratch.folder, 'restored')
})
afterEach(() => scratch.remove())

const envOf = (dataDir: string) => ({ PICTOR_DATA_DIR: dataDir, PORT: '0' })
const pictor = (args: readonly string[], dataDir = source) => runCommand(args, envOf(dataDir))

/** Generations come and go, until it is stopped. */
function shop(client: GraphqlClient) {
  let goesOn = true
  const buy = async () => {
    for (let index = 0; goesOn; index++) {
      const { id } = await make(client, quick('delay=0', { count: 2 }))
      if (index % 3 === 0) await client.run(DeleteGenerationDocument, { id })
    }
  }
  const buying = Promise.all([buy(), buy(), buy()])
  return {
    async stop() {
      goesOn = false
      await buying
    },
  }
}

async function listEnded(dataDir: string) {
  const database = await openDatabase({ url: `sqlite:${join(dataDir, 'pictor.db')}` })
  const rows = await database.read
    .selectFrom('generations')
    .selectAll()
    .where('finishedAt', 'is not', null)
    .orderBy('id')
    .execute()
  await database.close()
  return rows
}

it('backs up a server at work, restores it elsewhere, and a server on it serves its pictures', {
  timeout: 120_000,
}, async () => {
  await using server = await startServerProcess(envOf(source))
  const client = createGraphqlClient({ url: server.url })
  const first = await make(client, quick('delay=0'))
  const running = make(client, quick('delay=600000')).catch(() => undefined)
  const shopping = shop(client)
  const backup = async () => JSON.parse((await pictor(['backup', backups, '--json'])).stdout)
  expect(await backup()).toMatchObject({ lost: [], folder: backups })
  const second = await backup()
  expect(second.kept).toBeGreaterThan(0)
  expect(second.copied + second.kept).toBeGreaterThanOrEqual(second.pictures)
  expect(JSON.parse((await pictor(['verify', '--json'])).stdout)).toMatchObject({ ok: true, breaches: [] })
  await shopping.stop()

  const { code, stdout } = await pictor(['restore', backups], restored)
  expect(code).toBe(0)
  expect(stdout).toMatch(/Ended \d+ generations? that had not ended/)
  expect(stdout).toContain(`PICTOR_DATA_DIR=${restored} npm start`)
  expect((await pictor(['verify'], restored)).stdout).toContain('Nothing is wrong.')
  await assertInvariantsOf(restored)

  // What had ended before is the same in both, but for what was deleted since.
  const isOld = (finishedAt: number | null) => finishedAt !== null && finishedAt < Date.parse(second.createdAt)
  const now = new Map((await listEnded(source)).map((row) => [row.id, row]))
  const then = (await listEnded(restored)).filter(
    ({ id, finishedAt }) => isOld(finishedAt) && now.get(id)?.deletedAt === null,
  )
  expect(then.length).toBeGreaterThan(2)
  expect(then).toEqual(then.map(({ id }) => now.get(id)))

  await using again = await startServerProcess(envOf(restored))
  const { generation } = await createGraphqlClient({ url: again.url }).run(GenerationDocument, { id: first.id })
  const [image] = generation?.images ?? []
  const response = await fetch(image?.url ?? '')
  expect({ status: response.status, size: (await response.arrayBuffer()).byteLength }).toEqual({
    status: 200,
    size: image?.sizeBytes,
  })
  // The secret came with it: what the old server signed is good here.
  const old = await client.run(GenerationDocument, { id: first.id })
  const signed = new URL(old.generation?.images[0]?.url ?? '')
  signed.port = String(again.port)
  expect((await fetch(signed)).status).toBe(200)
  await server.kill('SIGKILL')
  await running
})

it('says what is wrong with files and rows, with the ids, and ends with 1', { timeout: 60_000 }, async () => {
  expect(await pictor(['verify'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('There is no database at'),
  })
  expect(await readdir(scratch.folder)).toEqual([])
  await pictor(['generate', 'fox [[sandbox delay=0]]', '--size', '64x64', '--out', join(scratch.folder, 'fox.png')])
  expect(await pictor(['verify', '--quick'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Nothing is wrong.'),
  })
  const [folder = ''] = (await readdir(join(source, 'images'))).filter((name) => name.startsWith('gen_'))
  await rm(join(source, 'images', folder), { recursive: true })
  await writeFile(join(source, 'images', 'notes.txt'), 'mine')
  const { code, stdout } = await pictor(['verify'])
  expect(code).toBe(1)
  expect(stdout).toMatch(
    /✗ This must be so, and is not: the bytes of images, inputs and uploads are in storage\.\n +img_[0-9a-f]{32}\n/,
  )
  expect(stdout).toMatch(/Not Pictor's, and left alone:\n +notes\.txt\n/)
  const backup = await pictor(['backup', backups])
  expect(backup).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('the bytes of 1 picture are gone or damaged'),
  })
  expect((await pictor(['restore', backups], restored)).stdout).toContain('were missing when it was made')
})

it('names what to do where it cannot be done', async () => {
  const postgres = { ...envOf(source), DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }
  const refused = await runCommand(['backup', backups], postgres)
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('first pg_dump') })
  expect((await runCommand(['restore', backups], postgres)).stderr).toContain('restore --in-place')
  expect(await pictor(['restore'])).toMatchObject({ code: 2, stderr: expect.stringContaining('Name the folder') })
  expect(await pictor(['restore', backups, '--in-place'])).toMatchObject({ code: 2 })
  expect((await pictor(['backup', join(source, 'copies')])).stderr).toContain('lies within')
  expect((await pictor(['restore', backups])).stderr).toContain('holds no finished backup')
})

it('ends in place what had not ended in a database that was brought back by other means', {
  timeout: 60_000,
}, async () => {
  {
    await using server = await startServerProcess(envOf(source))
    const client = createGraphqlClient({ url: server.url })
    const running = make(client, quick('delay=600000')).catch(() => undefined)
    await make(client, quick('delay=0'))
    expect(await pictor(['restore', '--in-place'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('A server runs'),
    })
    await server.kill('SIGKILL')
    await running
  }
  expect(await pictor(['restore', '--in-place'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Ended 1 generation that'),
  })
  await assertInvariantsOf(source)
})
