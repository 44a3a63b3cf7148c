import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'

/** Where this machine keeps what can be made again. */
export interface CacheWorld {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  readonly home: string
}

/** The folder of what ltm can make again; undefined where there is to be none. */
export function cacheFolder(world: CacheWorld = thisMachine()): string | undefined {
  const { LTM_CACHE: named } = world.env
  if (named === 'off') return undefined
  if (named) return resolve(named)
  const user = userFolder(world)
  return isAbsolute(user) ? user : undefined
}

/** The place that the operating system has for it. */
function userFolder({ env, platform, home }: CacheWorld): string {
  const { LOCALAPPDATA: local, XDG_CACHE_HOME: xdg } = env
  if (platform === 'win32') return join(local || join(home, 'AppData', 'Local'), 'ltm', 'cache')
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'ltm')
  // By its specification a path that is not absolute doesn't count.
  return join(xdg && isAbsolute(xdg) ? xdg : join(home, '.cache'), 'ltm')
}

function thisMachine(): CacheWorld {
  return { env: process.env, platform: process.platform, home: homeOrNone() }
}

/** A user without a home has none to keep anything in. */
function homeOrNone(): string {
  try {
    return homedir()
  } catch {
    return ''
  }
}
