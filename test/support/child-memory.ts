import { readFile } from 'node:fs/promises'

/** The most memory that a process has ever had, in bytes: what the kernel has counted, peaks among it. */
export async function peakMemoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? []
  if (kilobytes === undefined) throw new Error('The kernel does not tell the peak of memory of this process.')
  return Number(kilobytes) * 1024
}
