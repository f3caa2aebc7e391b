/**
 * The OpenAPI 3.1 document of the `api` port, printed from what its endpoints say of themselves.
 *
 * Floor 5, room server. Open without a key: it tells the shape of the interface and nothing of what is stored. Made once.
 */
import { z } from 'zod'
import type { AnswerText, ContentText, Endpoint, EndpointText, ParameterText } from '../model/endpoint.ts'
import { OPENAPI_TEXT } from './cache-texts.ts'

type Json = Readonly<Record<string, unknown>>

const ERROR = z.strictObject({ error: z.strictObject({ code: z.string().regex(/^FC_[A-Z_]+$/), message: z.string() }) })
const ERROR_CONTENT: Json = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } }
/** Answers of every endpoint that needs a key. */
const KEYED: Readonly<Record<number, AnswerText>> = {
  401: { description: 'Keys are configured, and none of them was sent.' },
  403: { description: 'No keys are configured, and the request comes from a page of another site or names a foreign host.' },
}
const DESCRIPTION = `The native cache API, administration, metrics and health.
HEAD is answered wherever GET is. Errors are \`{"error":{"code","message"}}\`: branch on \`code\`.
Beside the answers named here any request may be answered 400, 408, 413, 414, 431 or 503 by the server's limits,
404 for an unknown path, and 405 with \`Allow\` for a method that a path has not.`

/** @returns the endpoint of the document about `endpoints` and itself */
export function createOpenApi(endpoints: readonly Endpoint[], version: string): Endpoint {
  const own: Omit<Endpoint, 'handle'> = { method: 'GET', path: '/openapi.json', open: true, about: OPENAPI_TEXT }
  const body = `${JSON.stringify(printOpenApi([...endpoints, own], version))}\n`
  const fields = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-cache' }
  return { ...own, handle: () => ({ status: 200, fields, body }) }
}

/** The document; endpoints without a description are left out. */
export function printOpenApi(endpoints: readonly Omit<Endpoint, 'handle'>[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const endpoint of endpoints) {
    const { about } = endpoint
    if (about === undefined) continue
    const path = endpoint.path.replace(/:([A-Za-z]+)/g, '{$1}')
    const operations = (paths[path] ??= {})
    operations[endpoint.method.toLowerCase()] = printOperation(endpoint, about)
    if (about.head === true) operations['head'] = printOperation(endpoint, headOf(about))
  }
  return {
    openapi: '3.1.0',
    info: { title: 'forecache', version, description: DESCRIPTION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    security: [{ apiKey: [] }, { bearer: [] }],
    components: {
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
      schemas: { Error: schemaOf(ERROR, 'output') },
    },
  }
}

function headOf(about: EndpointText): EndpointText {
  const answers = Object.entries(about.answers).map(([status, { description, fields }]) => [
    status,
    { description, ...(fields === undefined ? {} : { fields }), content: {} },
  ])
  return { ...about, id: `${about.id}Head`, summary: `${about.summary}: its head alone`, answers: Object.fromEntries(answers) }
}

function printOperation(endpoint: Omit<Endpoint, 'handle'>, about: EndpointText): Json {
  const answers = { ...about.answers, ...(endpoint.open === true ? {} : KEYED) }
  const isHead = about.id.endsWith('Head')
  return {
    operationId: about.id,
    summary: about.summary,
    ...(about.description === undefined ? {} : { description: about.description }),
    ...(endpoint.open === true ? { security: [] } : {}),
    ...(about.parameters === undefined ? {} : { parameters: about.parameters.map(printParameter) }),
    ...(about.body === undefined ? {} : { requestBody: { required: true, content: printContent(about.body, 'input') } }),
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, answer]) => [status, printAnswer(Number(status), answer, isHead)]),
    ),
  }
}

function printParameter({ name, in: place, description, schema, required }: ParameterText): Json {
  return {
    name,
    in: place,
    description,
    required: required ?? place === 'path',
    schema: schema === undefined ? { type: 'string' } : schemaOf(schema, 'input'),
  }
}

function printAnswer(status: number, { description, fields, content }: AnswerText, isHead: boolean): Json {
  const headers = Object.entries(fields ?? {}).map(([name, text]) => [name, { description: text, schema: { type: 'string' } }])
  const shown = content === undefined ? (status >= 400 ? ERROR_CONTENT : undefined) : printContent(content, 'output')
  return {
    description,
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) }),
    ...(shown === undefined || isHead ? {} : { content: shown }),
  }
}

function printContent(content: ContentText, io: 'input' | 'output'): Json {
  const entries = Object.entries(content).map(([type, schema]) => [
    type,
    schema === undefined ? {} : { schema: schemaOf(schema, io) },
  ])
  return Object.fromEntries(entries)
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, target: 'draft-2020-12', unrepresentable: 'any' })
  return rest
}
