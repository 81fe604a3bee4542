import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { DocumentStep } from './document-requests.ts'
import { createGraphqlClient } from './graphql-client.ts'

const ROOT = new URL('../..', import.meta.url)

/** Runs the blocks of a document one after the other, as somebody would who follows it. */
export type DocumentRun = {
  /** What came, as the document writes it: status line and headers of `curl -i`, JSON, or text. */
  run(step: DocumentStep): Promise<string>
}

export type DocumentSetting = {
  /** Of Pictor, shown as http://127.0.0.1:4000. */
  readonly origin: string
  /** Of a server that is told by webhook, shown as https://app.example.com. */
  readonly receiver: string
  /** Of the shell, such as PICTOR_KEY, which GraphQL blocks go out with too unless their first line names another. */
  readonly variables: Readonly<Record<string, string>>
}

/** An id that is shown as `gen_…` is the last one that came. */
export function createDocumentRun({ origin, receiver, variables }: DocumentSetting): DocumentRun {
  const seen = new Map<string, string>()

  const fill = (block: string) =>
    block
      .replaceAll('http://127.0.0.1:4000', origin)
      .replaceAll('https://app.example.com', receiver)
      .replaceAll(/\b(gen|img)_…/g, (shown, kind: string) => seen.get(kind) ?? shown)

  function keep(answer: string): string {
    for (const [id, kind = ''] of answer.matchAll(/\b(gen|img)_[0-9a-z]{20,}/g)) seen.set(kind, id)
    return answer.replaceAll(origin, 'http://127.0.0.1:4000')
  }

  async function runGraphql(document: string): Promise<string> {
    const [, name = 'PICTOR_KEY'] = /^# Authorization: Bearer \$(\w+)/.exec(document) ?? []
    const secret = variables[name]
    const client = createGraphqlClient({ url: `${origin}/graphql`, ...(secret && { secret }) })
    if (!/^subscription\b/m.test(document)) {
      const { data, errors } = await client.ask(document)
      return JSON.stringify({ data, ...(errors.length > 0 && { errors }) })
    }
    let last = ''
    for await (const { data, errors } of client.stream(document, {})) last = JSON.stringify({ data, errors })
    return last
  }

  return {
    async run({ language, text: block }) {
      const filled = fill(block)
      if (language === 'graphql') return keep(await runGraphql(filled))
      const [command, args] =
        language === 'sh'
          ? (['sh', ['-euc', filled]] as const)
          : ([process.execPath, ['--input-type=module-typescript', '--eval', filled]] as const)
      return keep(await runProcess(command, args, variables))
    },
  }
}

async function runProcess(
  command: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<string> {
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  if (code !== 0) throw new Error(`It ended with ${code}: ${stderr}${stdout}`)
  return stdout
}
