/**
 * Checks that no file carries what belongs to one machine or workplace: absolute paths, registry hosts, folders beside
 * the checkout (the traces directory excepted), names of people's tools.
 *
 * Usage: node tools/check-words.ts
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { conclude, listFiles, ROOT } from './source.ts'

const MAX_BYTES = 2 ** 20
/** Each with a bracket, so that this file does not match itself. */
const FORBIDDEN: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/(?<![\w/.])\/wor[k]\//, 'an absolute path of one machine'],
  [/(?<![\w/.])\/tm[p]\/(?:brief|bash_jobs)/, 'an absolute path of one machine'],
  [/\bfile:\/\/\/(?:wor[k]|roo[t]|hom[e])/, 'an absolute path of one machine'],
  [/\.\.\/share[d](?!\/data\b)/, 'a folder beside the checkout'],
  [/\bregistr[y]\.[a-z]+(?:js)?\.(?:org|com|net)\b|\bnpmmirro[r]\b|\bverdacci[o]\b|\bartifactor[y]\b/i, 'a package registry'],
  [
    /\bclaud[e]\b|\banthropi[c]\b|\bchatgp[t]\b|\bcopilo[t]\b|\blanguage mode[l]\b|\bAI (?:assistan[t]|agen[t]|generate[d])/i,
    'a tool of the writer',
  ],
  [/\bsession helpe[r]|\bhelper sessio[n]|\bsteering rep[o]/i, 'the workplace'],
]

const problems: string[] = []
const files = listFiles('.')
for (const path of files) {
  const text = readFileSync(join(ROOT, path))
  if (text.length > MAX_BYTES || text.includes(0)) continue
  for (const [index, line] of text.toString('utf8').split('\n').entries()) {
    for (const [pattern, why] of FORBIDDEN) if (pattern.test(line)) problems.push(`${path}:${index + 1}: mentions ${why}`)
  }
}
conclude('words', problems, `${files.length} files`)
