import { expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }

it('runs the tests on the pinned Node, whatever the machine has', () => {
  expect(process.version).toBe(`v${manifest.devDependencies.node}`)
})
