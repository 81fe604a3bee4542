import type { Plugin } from 'graphql-yoga'
import type { OperationScope } from './operation-scope.ts'

/** What travels with an operation through Yoga besides what `createContext` adds. */
export type ServerContext = { readonly scope: OperationScope }

export type TransportPlugin = Plugin<ServerContext, ServerContext>
