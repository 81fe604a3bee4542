import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSystemClock } from '../../src/clock.ts'
import { createLocalStorage } from '../../src/storage/local-storage.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { describeBlobStorage } from './blob-storage-contract.ts'

describeBlobStorage('memory storage', async () => ({
  storage: createMemoryStorage({ clock: createSystemClock() }),
  close: async () => undefined,
}))

describeBlobStorage('local storage', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'pictor-blobs-'))
  return {
    storage: createLocalStorage({ directory }),
    close: () => rm(directory, { recursive: true, force: true }),
  }
})
