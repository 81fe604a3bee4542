import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../../src/store/database.ts'
import { MIGRATIONS } from '../../../src/store/migrations/index.ts'

describe('openDatabase', () => {
  it.each(['mysql://localhost/pictor', 'pictor.db', ''])('refuses the URL "%s" and says what would do', async (url) => {
    await expect(openDatabase({ url })).rejects.toThrow('sqlite:<path> nor postgres://')
  })

  it.each(['sqlite:', 'sqlite:  '])('refuses "%s", which names no file', async (url) => {
    await expect(openDatabase({ url })).rejects.toThrow('names no file')
  })
})

describe('The migrations', () => {
  it('have unique names that sort in the order of the list', () => {
    const names = MIGRATIONS.map((migration) => migration.name)
    expect(names).toEqual([...new Set(names)].sort())
    for (const name of names) expect(name).toMatch(/^\d{4}-[a-z0-9-]+$/)
  })
})
