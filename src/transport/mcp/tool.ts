import type { CallToolResult, ContentBlock, ToolAnnotations } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import type { Generation } from '../../generation/generation-types.ts'
import type { Services } from '../../services.ts'
import type { Scope, Viewer } from '../../viewer.ts'
import { readArguments } from './argument-faults.ts'

/** Whom a tool answers, and with what. */
export type ToolCall = {
  readonly viewer: Viewer
  readonly services: Services
  /** Bounds in time what works for the caller, as every operation is. UNAVAILABLE; what was begun goes on. */
  inTime<Result>(work: Promise<Result>): Promise<Result>
  /** Takes a place among those who wait. RATE_LIMITED where the account has too many. 0 seconds take none. */
  startWait(seconds: number): Promise<Wait>
}

export type Wait = {
  /** Tells of progress where the caller asked for it. Ends with the generation, or before it; never ends the generation. */
  untilEnd(generationId: string): Promise<Waited>
  /** Always, at the end. Harmless when called again. */
  release(): void
}

export type Waited = { readonly generation: Generation; readonly ended: WaitEnd }

/** What ended a wait: the generation, the time that was given, or the server, which stops. */
export const WAIT_ENDS = ['FINISHED', 'TIME_UP', 'SERVER_STOPS'] as const
export type WaitEnd = (typeof WAIT_ENDS)[number]

export type ToolAnswer<Result> = {
  readonly result: Result
  /** Behind the result: links and pictures. */
  readonly content?: readonly ContentBlock[]
}

/** All of it but `run` is fixed text: nothing that a caller or a model wrote ever gets into it. */
export type Tool = {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly input: z.ZodObject
  readonly output: z.ZodObject
  readonly annotations: ToolAnnotations
  /** One of them will do. */
  readonly scopes: readonly Scope[]
  /** Throws what services throw, and InvalidInput for arguments that are not of the schema. */
  run(args: unknown, call: ToolCall): Promise<CallToolResult>
}

type ToolDefinition<Input extends z.ZodObject, Output extends z.ZodObject> = Omit<Tool, 'input' | 'output' | 'run'> & {
  readonly input: Input
  readonly output: Output
  answer(args: z.output<Input>, call: ToolCall): Promise<ToolAnswer<z.output<Output>>>
}

export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  definition: ToolDefinition<Input, Output>,
): Tool {
  const { answer, ...tool } = definition
  return {
    ...tool,
    async run(args, call) {
      const { result, content = [] } = await answer(readArguments(tool.input, args), call)
      // The text is for clients that do not read structured content, and says the same.
      return { structuredContent: result, content: [{ type: 'text', text: JSON.stringify(result) }, ...content] }
    },
  }
}
