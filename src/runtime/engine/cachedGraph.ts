import type { LoweredGraph } from '../../base/graphs.ts'
import type { GraphCache } from './graphCache.ts'
import type { GraphRequest } from './graphKey.ts'
import type { Optimization, OrtSession } from './ort.ts'

/** Makes a graph ready to run. */
type MakeSession = (lowered: LoweredGraph, optimization?: Optimization) => OrtSession

export interface ReadyGraph {
  readonly lowered: LoweredGraph
  readonly session: OrtSession
}

/** A graph that was kept, or else one that is lowered and optimised now, and kept for the next run. */
export function cachedGraph(
  cache: GraphCache | undefined,
  request: () => GraphRequest,
  lower: () => LoweredGraph,
  makeSession: MakeSession,
): ReadyGraph {
  if (cache === undefined) return fresh(lower(), makeSession)
  const key = cache.key(request())
  return kept(cache, key, makeSession) ?? keeping(cache, key, lower(), makeSession)
}

function fresh(lowered: LoweredGraph, makeSession: MakeSession): ReadyGraph {
  return { lowered, session: makeSession(lowered) }
}

function kept(cache: GraphCache, key: string, makeSession: MakeSession): ReadyGraph | undefined {
  const lowered = cache.read(key)
  if (lowered === undefined) return undefined
  try {
    return { lowered, session: makeSession(lowered, { done: true }) }
  } catch {
    // It is whole, and yet not for this machine: what is made in its place is.
    return undefined
  }
}

function keeping(
  cache: GraphCache,
  key: string,
  lowered: LoweredGraph,
  makeSession: MakeSession,
): ReadyGraph {
  const saveTo = cache.draft(key)
  if (saveTo === undefined) return fresh(lowered, makeSession)
  try {
    return { lowered, session: makeSession(lowered, { saveTo }) }
  } catch {
    // Where it fails because of the file it does not fail without one, and otherwise it says why.
    return fresh(lowered, makeSession)
  } finally {
    cache.keep(key, lowered, saveTo)
  }
}
