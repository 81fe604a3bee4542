import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type GraphQLNamedType,
  type GraphQLObjectType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isUnionType,
  printSchema,
} from 'graphql'
import { describe, expect, it } from 'vitest'
import { listDrifted } from '../../../scripts/generated-files.ts'
import { describeOperations } from '../../../scripts/operation-files.ts'
import { describeSchema } from '../../../scripts/schema-files.ts'
import { createSchema } from '../../../src/graphql/schema.ts'
import { SCHEMA } from './run.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const TYPES = Object.values(SCHEMA.getTypeMap()).filter(({ name }) => !name.startsWith('__'))
const OBJECTS = TYPES.filter((type): type is GraphQLObjectType => isObjectType(type))

type Described = { readonly where: string; readonly description: string | null | undefined }

function listParts(type: GraphQLNamedType): Described[] {
  const parts: Described[] = [{ where: type.name, description: type.description }]
  if (isEnumType(type)) {
    for (const { name, description } of type.getValues()) parts.push({ where: `${type.name}.${name}`, description })
  }
  if (isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)) {
    for (const field of Object.values(type.getFields())) {
      const where = `${type.name}.${field.name}`
      parts.push({ where, description: field.description })
      for (const { name, description } of 'args' in field ? field.args : []) {
        parts.push({ where: `${where}(${name}:)`, description })
      }
    }
  }
  return parts
}

describe('the schema', () => {
  it('describes every type, field, argument, input field and enum value in a sentence', () => {
    const silent = TYPES.flatMap(listParts).filter(({ description }) => !description?.trim())
    expect(silent.map(({ where }) => where)).toEqual([])
    expect(TYPES.length).toBeGreaterThan(60)
  })

  it('gives members of one union that share a field the same type for it, so that one selection can ask for all', () => {
    const clashes = TYPES.filter(isUnionType).flatMap((union) =>
      union.getTypes().flatMap((member) =>
        union.getTypes().flatMap((other) =>
          Object.values(member.getFields())
            .filter(({ name, type }) => {
              const same = other.getFields()[name]
              return same && String(same.type) !== String(type)
            })
            .map(({ name }) => `${union.name}: ${member.name}.${name} and ${other.name}.${name}`),
        ),
      ),
    )
    expect(clashes).toEqual([])
  })

  it('has one success and otherwise user errors in every result union', () => {
    for (const union of TYPES.filter(isUnionType)) {
      const others = union
        .getTypes()
        .filter((member) => !member.getInterfaces().some(({ name }) => name === 'UserError'))
      expect(others, union.name).toHaveLength(1)
    }
  })

  it('never puts null into a list, but for the nodes that were not found', () => {
    const loose = OBJECTS.flatMap((type) =>
      Object.values(type.getFields())
        .filter(({ type: fieldType }) => /\[\w+\]/.test(String(fieldType)))
        .map(({ name }) => `${type.name}.${name}`),
    )
    expect(loose).toEqual(['Query.nodes'])
  })

  it('gives every node an id', () => {
    const withIds = OBJECTS.filter((type) => type.getInterfaces().some(({ name }) => name === 'Node'))
    expect(withIds.map(({ name }) => name)).toEqual([
      'Account',
      'ApiKey',
      'Attempt',
      'Generation',
      'Image',
      'Model',
      'Provider',
      'Upload',
      'WebhookDelivery',
      'WebhookEndpoint',
    ])
  })

  it('can be built again and is the same', () => {
    expect(printSchema(createSchema())).toBe(printSchema(SCHEMA))
  })

  it('registers the types of every file in src/graphql', async () => {
    const folder = join(ROOT, 'src', 'graphql')
    const files = (await readdir(folder)).filter((name) => name.endsWith('.ts') && name !== 'schema.ts')
    const sources = await Promise.all(files.map(async (name) => [name, await readFile(join(folder, name), 'utf8')]))
    const list = /const NOUNS.* = \[\n([^\]]*)\]/.exec(await readFile(join(folder, 'schema.ts'), 'utf8'))?.[1] ?? ''
    const registered = [...list.matchAll(/register\w+/g)].map(([name]) => name)
    const exported: string[] = []
    for (const [file = '', source = ''] of sources) {
      const own = [...source.matchAll(/^export function (register\w+)/gm)].map(([, name]) => name ?? '')
      if (/\bbuilder\s*\.\w+\(/.test(source)) expect(own, file).toHaveLength(1)
      exported.push(...own)
    }
    expect(registered.toSorted()).toEqual(exported.toSorted())
  })
})

describe('the committed schema files', () => {
  it('are what the code says', async () => {
    expect(await listDrifted(ROOT, describeSchema(createSchema()))).toEqual([])
  })

  it('have typed documents of the committed operations', async () => {
    expect(await listDrifted(ROOT, await describeOperations(createSchema()))).toEqual([])
  })

  it('list the members of every union and interface for caches', async () => {
    const text = await readFile(join(ROOT, 'schema', 'possible-types.json'), 'utf8')
    expect(JSON.parse(text)).toMatchObject({
      CancelGenerationResult: ['CancelGenerationSuccess', 'NotFoundError'],
      Node: expect.arrayContaining(['Generation', 'Image']),
      UserError: expect.arrayContaining(['RateLimitedError', 'NotFinishedError']),
    })
  })
})
