import { openOperations } from '../composition/known-operations.ts'
import { type Offer, openOffer } from '../composition/offer.ts'
import { KEY_VARIABLES } from '../composition/providers.ts'
import { type Config, ConfigError, readConfig } from '../config.ts'
import type { CommandContext } from './context.ts'
import { checkDatabase } from './doctor-database.ts'
import { checkDataDirectory, checkDiskSpace, checkSecret, checkStorage } from './doctor-files.ts'
import { checkPort } from './doctor-port.ts'
import { bad, type Finding, good, messageOf } from './finding.ts'

const NODE_MAJOR = 24

export async function runChecks(context: CommandContext, nodeVersion: string): Promise<readonly Finding[]> {
  const findings = [checkNode(nodeVersion)]
  let config: Config
  try {
    config = readConfig(context.environment)
    findings.push(good('configuration', 'every variable is as it should be'))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    // Where and on what it would run is not known then.
    return [
      ...findings,
      ...error.faults.map((fault) =>
        bad('configuration', fault, `Set ${fault.split(' ')[0]} so, or unset it for its default.`),
      ),
    ]
  }
  findings.push(...(await checkOffer(config, context)))
  findings.push(...checkOperations(config))
  findings.push(await checkDataDirectory(config.dataDir))
  findings.push(await checkDiskSpace(config.dataDir))
  findings.push(await checkSecret(config))
  findings.push(await checkStorage(config, context.clock))
  findings.push(...(await checkDatabase(config, context)))
  findings.push(await checkPort(config))
  return findings
}

export function checkNode(version: string): Finding {
  if (Number(version.split('.')[0]) >= NODE_MAJOR) return good('node', version)
  return bad('node', `${version} is too old`, 'Run it with npm (npm start, npm run pictor), which brings its own Node.')
}

type KnownProvider = { readonly id: string; readonly configured: boolean }

function describeProviders(providers: readonly KnownProvider[]): Finding {
  const { configured = [], missing = [] } = Object.groupBy(providers, (one) =>
    one.configured ? 'configured' : 'missing',
  )
  const names = configured.map(({ id }) => id).join(', ')
  const without = missing.map(({ id }) => `${id} (${KEY_VARIABLES[id] ?? 'no key'})`).join(', ')
  return good('providers', without === '' ? names : `${names}; without a key: ${without}`)
}

async function checkOffer(config: Config, tools: Parameters<typeof openOffer>[1]): Promise<readonly Finding[]> {
  try {
    const offer = await openOffer(config, tools)
    return [describeModels(config, offer), describeProviders(offer.providers.list())]
  } catch (error) {
    return [bad('models', messageOf(error), 'Mend PICTOR_CATALOG or PICTOR_DEFAULT_MODEL.')]
  }
}

/** Nothing where no operations but our own are known, and others run too. */
function checkOperations({ operations }: Config): readonly Finding[] {
  if (operations.path === null && !operations.only) return []
  try {
    openOperations(operations)
    const rest = operations.only ? 'nothing else runs' : 'others run too'
    return [good('operations', `the known ones can all be run, and ${rest}`)]
  } catch (error) {
    return [bad('operations', messageOf(error), 'Mend the documents that PICTOR_OPERATIONS names, or unset it.')]
  }
}

function describeModels(config: Config, { catalog }: Offer): Finding {
  const { model } = catalog.resolve({ model: config.defaultModel, provider: null })
  return good('models', `${catalog.list().length} known; without a model in the request, ${model.id} answers`)
}
