/**
 * `npm run wire -- flux`: plays a vendor on this machine, so that anyone can run Pictor against it and watch. A prompt may
 * say what is to go wrong: `a fox [[wire refused]]`. Ends with Ctrl-C.
 */
import { PLAYED_VENDORS, type PlayedVendor } from '../test/support/wire/vendors.ts'
import { startWireServer } from '../test/support/wire/wire-server.ts'

const [name = '', port = '4100'] = process.argv.slice(2)
const vendor = Object.entries<PlayedVendor>(PLAYED_VENDORS).find(([id]) => id === name)?.[1]
if (!vendor || !/^\d+$/.test(port)) {
  console.error(`Usage: npm run wire -- <vendor> [port]\nVendors: ${Object.keys(PLAYED_VENDORS).join(', ')}`)
  process.exit(2)
}
const log = (line: string) => console.log(`${new Date().toISOString().slice(11, 23)}  ${line}`)
const wire = await startWireServer(vendor.create, { port: Number(port), log })
const settings = Object.entries(vendor.environment(wire.origin, 'any-key')).map(([key, value]) => `${key}='${value}'`)
console.log(`${vendor.name} is played at ${wire.origin}. Run Pictor against it:\n\n  ${settings.join(' ')} npm start\n`)
