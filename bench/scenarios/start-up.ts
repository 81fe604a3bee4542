import { startPictor } from '../server-process.ts'
import { type Figure, median } from '../table.ts'

const STARTS = 5

/** From the start of the process on an empty data directory to the line that says that it is ready. */
export async function startUp(): Promise<Figure[]> {
  const startsMs: number[] = []
  for (let start = 0; start < STARTS; start += 1) {
    const server = await startPictor()
    startsMs.push(server.startMs)
    await server.stop()
  }
  return [{ name: `start-up, median of ${STARTS}`, value: median(startsMs), unit: 'ms' }]
}
