/**
 * The official OpenAI SDK, for every model that the server has: a picture with previews on the way.
 *
 *   PICTOR_API_KEY=pk_… node_modules/.bin/node examples/openai-sdk.ts "a red fox in snow"
 */
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import OpenAI from 'openai'

export type Painted = { readonly previews: number; readonly image: Buffer }

/**
 * The key in the header is what makes a repetition safe: the SDK repeats a call by itself when the connection breaks, and
 * under the same key it finds the same generation. Keep it with your order, so that a restart of yours finds it too.
 */
export async function paint(client: OpenAI, prompt: string, idempotencyKey: string): Promise<Painted> {
  const stream = await client.images.generate(
    { model: 'sandbox/painter', prompt, stream: true, partial_images: 2 },
    { headers: { 'Idempotency-Key': idempotencyKey } },
  )
  let previews = 0
  for await (const event of stream) {
    if (event.type === 'image_generation.partial_image') previews += 1
    else return { previews, image: Buffer.from(event.b64_json, 'base64') }
  }
  throw new Error('The stream has ended without a picture.')
}

async function main(prompt: string): Promise<void> {
  const { PICTOR_URL: url = 'http://127.0.0.1:4000/graphql', PICTOR_API_KEY: apiKey = '' } = process.env
  const client = new OpenAI({ baseURL: new URL('/v1', url).href, apiKey })
  const { previews, image } = await paint(client, prompt, randomUUID())
  await writeFile('painted.png', image)
  console.log(`painted.png, after ${previews} previews`)
}

if (import.meta.main) await main(process.argv[2] ?? 'a red fox in snow')
