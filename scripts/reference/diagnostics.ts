import { families, readPages } from '../../src/cli/pages.ts'
import { opening, page } from './page.ts'

/** The index of docs/diagnostics, by family. */
export function diagnosticsPage(): string {
  const pages = readPages()
  const sections = Object.entries(families).flatMap(([digit, name]) => {
    const members = pages.filter(({ code }) => code[3] === digit)
    return [`## ${name}`, members.map(({ code, title }) => `- [${code}](${code}.md) ${title}`).join('\n')]
  })
  return page([
    opening('Diagnostics', 'the pages in this folder'),
    'Each code has a page, which `ltm explain CODE` shows as well. A code never changes its meaning.',
    ...sections,
  ])
}
