import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buildSchema } from 'graphql'
import { createYoga } from 'graphql-yoga'
import { ANSWER } from './constant-answer.ts'

/** What the same selection costs where nothing happens: yoga, our schema, and a constant. No plugin, no limit, no log. */
const schema = buildSchema(readFileSync(new URL('../schema/schema.graphql', import.meta.url), 'utf8'))
const field = schema.getMutationType()?.getFields().generateImage
if (!field) throw new Error('The schema has no generateImage.')
field.resolve = () => ANSWER

const yoga = createYoga({ schema, logging: false, graphiql: false, landingPage: false })
const server = createServer(yoga)
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}/graphql` })}\n`)
})
process.on('SIGTERM', () => process.exit(0))
