import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pictureName, preparePictureFolder } from '../../../src/cli/picture-files.ts'

describe('pictureName', () => {
  const id = 'gen_01a2029c75937102900a488b60602795'

  it('is made of the words of the prompt and the end of the id', () => {
    expect(pictureName({ prompt: 'A red Fox, in snow!', id })).toBe('pictor-a-red-fox-in-snow-602795')
  })

  it('stays short, and a name of one part of a path, whatever the prompt', () => {
    expect(pictureName({ prompt: '../../etc/passwd\u0000 \n', id })).toBe('pictor-etc-passwd-602795')
    expect(pictureName({ prompt: 'x'.repeat(500), id })).toBe(`pictor-${'x'.repeat(40)}-602795`)
    expect(pictureName({ prompt: '!!!', id })).toBe('pictor-602795')
    expect(pictureName({ prompt: `${'a'.repeat(39)}𝒜𠮷`, id })).toMatch(/^pictor-a{39}[a𠮷]?-602795$/u)
  })

  it('keeps letters of every script', () => {
    expect(pictureName({ prompt: 'Füchse im Schnee 雪', id })).toBe('pictor-fuchse-im-schnee-雪-602795')
  })
})

describe('preparePictureFolder', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pictor-out-'))
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  it('makes a folder for what ends in a slash, and for the file in it', async () => {
    expect(await preparePictureFolder(`${directory}/new/`)).toEqual({ folder: `${directory}/new/`, name: null })
    expect(await preparePictureFolder(`${directory}/other/fox.png`)).toEqual({
      folder: `${directory}/other`,
      name: 'fox',
    })
    expect(await preparePictureFolder(directory)).toEqual({ folder: directory, name: null })
    expect((await readdir(directory)).toSorted()).toEqual(['new', 'other'])
  })

  it('rejects a place that cannot be written to before anything is paid for', async () => {
    await writeFile(join(directory, 'file'), '')
    await expect(preparePictureFolder(`${directory}/file/fox.png`)).rejects.toMatchObject({ exitCode: 2 })
  })
})
