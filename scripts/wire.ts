/**
 * `npm run wire -- flux`: plays a vendor on this machine, so that anyone can run Pictor against it and watch. A prompt may
 * say what is to go wrong: `a fox [[wire refused]]`. Ends with Ctrl-C.
 */
import { PLAYED_ENGINES, PLAYED_VENDORS } from '../test/support/wire/vendors.ts'
import { startWireServer, type WireSetting, type WireVendor } from '../test/support/wire/wire-server.ts'

type Played = { readonly create: (setting: WireSetting) => WireVendor; tell(origin: string): string }

const vendors = Object.entries(PLAYED_VENDORS).map(([id, { create, environment }]): [string, Played] => {
  const settings = (origin: string) =>
    Object.entries(environment(origin, 'any-key')).map(([name, value]) => `${name}='${value}'`)
  return [id, { create, tell: (origin) => `${settings(origin).join(' ')} npm start` }]
})
const engines = Object.entries(PLAYED_ENGINES).map(([kind, { create, path }]): [string, Played] => {
  const provider = (origin: string) => JSON.stringify({ id: 'studio', kind, baseUrl: origin + path })
  return [kind, { create, tell: (origin) => `PICTOR_CATALOG with this among its "providers": ${provider(origin)}` }]
})
const played = new Map([...vendors, ...engines])

const [name = '', port = '4100'] = process.argv.slice(2)
const vendor = played.get(name)
if (!vendor || !/^\d+$/.test(port)) {
  console.error(`Usage: npm run wire -- <vendor> [port]\nVendors: ${[...played.keys()].join(', ')}`)
  process.exit(2)
}
const log = (line: string) => console.log(`${new Date().toISOString().slice(11, 23)}  ${line}`)
const wire = await startWireServer(vendor.create, { port: Number(port), log })
console.log(`${name} is played at ${wire.origin}. Run Pictor against it:\n\n  ${vendor.tell(wire.origin)}\n`)
