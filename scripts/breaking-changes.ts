/**
 * Fails when schema/schema.graphql breaks clients of an earlier one without saying so: each breaking change must be
 * named by its path in backticks (`Type.field`) under "Unreleased" in CHANGELOG.md. Earlier ones are those of HEAD, of
 * the commit at which this branch left main, and of the last release's tag.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { listBreakingChanges, readUnreleasedNames } from './schema-changes.ts'

const ROOT = join(import.meta.dirname, '..')
const SCHEMA = 'schema/schema.graphql'

const after = await readFile(join(ROOT, SCHEMA), 'utf8')
const named = readUnreleasedNames((await readIfThere(join(ROOT, 'CHANGELOG.md'))) ?? '')
const baselines = await listBaselines()
if (baselines.size === 0) console.log(`${SCHEMA}: nothing earlier to compare with`)
for (const [commit, { label, schema }] of baselines) {
  const changes = await listBreakingChanges(schema, after)
  const silent = changes.filter(({ path }) => !named.has(path))
  const since = `${label} (${commit.slice(0, 8)})`
  for (const { path, message } of silent) console.log(`breaks clients of ${since}: ${message} [${path}]`)
  console.log(`${SCHEMA}: ${changes.length} breaking changes since ${since}, ${silent.length} of them not named`)
  if (silent.length > 0) {
    console.log('Name each path in backticks under "Unreleased" in CHANGELOG.md, with what clients do instead.')
    process.exitCode = 1
  }
}

/** By commit, so that none is compared twice. */
async function listBaselines(): Promise<Map<string, { readonly label: string; readonly schema: string }>> {
  const tag = await git('describe', '--tags', '--abbrev=0')
  const candidates = [
    { label: 'HEAD', revision: 'HEAD' },
    { label: 'main', revision: await git('merge-base', 'HEAD', 'main') },
    { label: `tag ${tag}`, revision: tag },
  ]
  const baselines = new Map<string, { readonly label: string; readonly schema: string }>()
  for (const { label, revision } of candidates) {
    const commit = revision && (await git('rev-parse', '--verify', `${revision}^{commit}`))
    const schema = commit && (await git('show', `${commit}:${SCHEMA}`))
    if (commit && schema && !baselines.has(commit)) baselines.set(commit, { label, schema })
  }
  return baselines
}

/** null where git has no answer: no repository, no such revision, no such file in it. */
async function git(...args: readonly string[]): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('git', [...args], { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 })
    return stdout.trim() || null
  } catch {
    return null
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
