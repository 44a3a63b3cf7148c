import { Command } from 'commander'
import { type ExitCode, exitCodes } from '../runtime/errors.ts'
import { badUsage, type Cli } from './cli.ts'
import { afterHelp } from './help.ts'
import { renderPage } from './page.ts'
import { families, type Page, readPages } from './pages.ts'

/** `ltm explain [CODE]`: the longer story of a diagnostic, or all of them by family. */
export function explainCommand(cli: Cli, finish: (code: ExitCode) => void): Command {
  return new Command('explain')
    .description('tell more of a diagnostic, with an example that fails and one that compiles')
    .argument('[code]', 'such as LTM2101; all are listed without one')
    .addHelpText('after', afterHelp(['ltm explain LTM2101', 'ltm explain 2101', 'ltm explain']))
    .action((code: string | undefined) => finish(explainCode(code, cli)))
}

function explainCode(asked: string | undefined, cli: Cli): ExitCode {
  const pages = readPages()
  const text = asked === undefined ? listOf(pages) : pageOf(asked, pages).text
  cli.terminal.out(renderPage(text, cli.terminal.page))
  return exitCodes.ok
}

/** All codes under the names of their families, as a page. */
function listOf(pages: readonly Page[]): string {
  const sections = Object.entries(families).map(([digit, name]) => {
    const members = pages.filter(page => page.code[3] === digit)
    return [`## ${name}`, '', ...members.map(({ code, title }) => `- ${code} ${title}`)].join('\n')
  })
  return sections.join('\n\n')
}

function pageOf(asked: string, pages: readonly Page[]): Page {
  const digits = /^(?:ltm)?(\d{4})$/i.exec(asked)?.[1]
  if (digits === undefined)
    throw badUsage(
      `\`${asked}\` is no code`,
      'A code is `LTM` and four digits; `ltm explain` lists them all.',
    )
  const found = pages.find(page => page.code === `LTM${digits}`)
  if (found) return found
  throw badUsage(`there is no LTM${digits}`, nearestOf(Number(digits), pages))
}

/** The three nearest by number, in order, so that a slip of the fingers finds its code. */
function nearestOf(asked: number, pages: readonly Page[]): string {
  const distance = ({ code }: Page) => Math.abs(Number(code.slice(3)) - asked)
  const near = [...pages]
    .sort((a, b) => distance(a) - distance(b))
    .slice(0, 3)
    .sort((a, b) => a.code.localeCompare(b.code))
  return ['The nearest are:', ...near.map(({ code, title }) => `  ${code} ${title}`)].join('\n')
}
