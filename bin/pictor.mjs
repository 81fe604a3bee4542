#!/usr/bin/env node
// Plain JavaScript for any Node: the command itself is TypeScript, which only a new one can load.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const OLDEST_MAJOR = 24
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const own = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
const isNewEnough = Number(process.versions.node.split('.')[0]) >= OLDEST_MAJOR

if (!isNewEnough && !existsSync(own)) {
  process.stderr.write(
    `Pictor needs Node ${OLDEST_MAJOR}, and this is ${process.versions.node}.\n` +
      `Run "npm ci" in ${root}: it brings the right one. Then this works, and so does: npm run pictor -- --help\n`,
  )
  process.exitCode = 1
} else {
  const command = [join(root, 'src', 'cli', 'main.ts'), ...process.argv.slice(2)]
  const child = spawn(isNewEnough ? process.execPath : own, command, {
    stdio: 'inherit',
    shell: !isNewEnough && process.platform === 'win32',
  })
  // The terminal sends Ctrl-C to the command too, and it is the command that decides what that means.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.on('error', (error) => {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code === null ? 1 : code
    if (signal) process.stderr.write(`Ended by ${signal}.\n`)
  })
}
