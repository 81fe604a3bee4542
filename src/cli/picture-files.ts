import { constants } from 'node:fs'
import { access, mkdir, open, stat } from 'node:fs/promises'
import { dirname, join, parse } from 'node:path'
import { CommandError } from './command-error.ts'
import type { FinishedGeneration } from './generation.ts'

export type SavedPicture = { readonly path: string; readonly imageId: string }

export type PictureFolder = {
  readonly folder: string
  /** Without extension; null: from the prompt. */
  readonly name: string | null
}

const EXTENSIONS: Readonly<Record<string, string>> = { 'image/png': 'png', 'image/jpeg': 'jpg', 'image/webp': 'webp' }
const MAX_SLUG_LENGTH = 40
const MAX_NAMES = 10_000

/** Before anything is paid for: makes the folder where it is missing, and rejects where nothing can be written to it. */
export async function preparePictureFolder(out: string): Promise<PictureFolder> {
  const isFolder = /[/\\]$/.test(out) || (await isDirectory(out))
  const folder = isFolder ? out : dirname(out)
  try {
    await mkdir(folder, { recursive: true })
    await access(folder, constants.W_OK)
  } catch (error) {
    throw new CommandError(2, `Nothing can be written to ${folder}. Name another place with --out.`, {}, error)
  }
  return { folder, name: isFolder ? null : parse(out).name }
}

/** Fetches each image and writes it under a name that was free. */
export async function savePictures(
  generation: FinishedGeneration,
  { folder, name }: PictureFolder,
  download: (url: string) => Promise<Uint8Array>,
): Promise<readonly SavedPicture[]> {
  const { images, count } = generation
  const base = name ?? pictureName(generation)
  const saved: SavedPicture[] = []
  for (const image of images) {
    const numbered = count > 1 ? `${base}-${image.index + 1}` : base
    const path = join(folder, `${numbered}.${EXTENSIONS[image.mimeType] ?? 'bin'}`)
    saved.push({ path: await writeNew(path, await download(image.url)), imageId: image.id })
  }
  return saved
}

/** `pictor-a-red-fox-in-snow-1f09ac`: words of the prompt, and the random end of the id. */
export function pictureName({ prompt, id }: { readonly prompt: string; readonly id: string }): string {
  const slug = prompt
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .slice(0, MAX_SLUG_LENGTH)
    .toWellFormed()
    .replace(/\uFFFD/g, '')
    .replace(/^-+|-+$/g, '')
  return ['pictor', slug, id.slice(-6)].filter((part) => part !== '').join('-')
}

/** Where the name is taken, the next one with a number. Returns the path. */
async function writeNew(path: string, bytes: Uint8Array): Promise<string> {
  const { dir, name, ext } = parse(path)
  for (let number = 1; number <= MAX_NAMES; number += 1) {
    const candidate = number === 1 ? path : join(dir, `${name}-${number}${ext}`)
    const file = await openNew(candidate)
    if (!file) continue
    try {
      await file.writeFile(bytes)
    } finally {
      await file.close()
    }
    return candidate
  }
  throw new CommandError(1, `${path} and every name like it is taken.`)
}

async function openNew(path: string) {
  try {
    return await open(path, 'wx')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return undefined
    throw error
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
}
