import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** `path` is relative to the project. */
export type GeneratedFile = { readonly path: string; readonly text: string }

/** Writes the files and returns the paths of those that were not as they should be. */
export async function writeGenerated(root: string, files: readonly GeneratedFile[]): Promise<readonly string[]> {
  const drifted = await listDrifted(root, files)
  for (const { path, text } of files.filter((file) => drifted.includes(file.path))) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return drifted
}

/** Paths of the files that are missing or not as they should be. Changes nothing. */
export async function listDrifted(root: string, files: readonly GeneratedFile[]): Promise<readonly string[]> {
  const drifted = await Promise.all(files.map(async ({ path, text }) => (await read(join(root, path))) !== text))
  return files.filter((_file, index) => drifted[index]).map(({ path }) => path)
}

async function read(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

const ROOT = join(import.meta.dirname, '..')

/** What the generators do with their files, and what they say. Returns the exit code. */
export async function runGenerator(run: {
  readonly files: readonly GeneratedFile[]
  readonly check: boolean
  /** How to mend it. */
  readonly command: string
}): Promise<0 | 1> {
  const drifted = run.check ? await listDrifted(ROOT, run.files) : await writeGenerated(ROOT, run.files)
  for (const path of drifted) console.log(run.check ? `${path} is out of date` : `wrote ${path}`)
  if (drifted.length === 0) console.log(`${run.files.map(({ path }) => path).join(', ')}: up to date`)
  if (run.check && drifted.length > 0) console.log(`Run: ${run.command}`)
  return run.check && drifted.length > 0 ? 1 : 0
}
