import { ofCase, ofCases } from '../../platform/http/audit.ts'
import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { changeOne, makeOne, readOne, readPage } from '../../platform/http/replies.ts'
import { NewNote, Note, NotePage, NoteQuery, NoteText, NoteVersions, Strike } from './contract.ts'
import * as notes from './queries.ts'

const tags = ['Work']

export const noteRoutes: Routes = async app => {
  app.post(
    '/v1/cases/:id/notes',
    {
      config: { permission: 'notes:write', audit: ofCase, idempotency: 'accepted', problems: ['file-erased'] },
      schema: {
        operationId: 'writeNote',
        summary: 'Writes a note on the case, for your organisation or for all organisations to which the case is open.',
        tags,
        params: IdParams,
        body: NewNote,
        response: { 201: Note },
      },
    },
    (request, reply) =>
      makeOne(request, reply, {
        make: tx => notes.write(tx, request.params.id, request.body),
        location: id => `/v1/notes/${id}`,
        read: notes.find,
      }),
  )
  app.get(
    '/v1/cases/:id/notes',
    {
      config: { permission: 'cases:read', audit: ofCases },
      schema: {
        operationId: 'listNotesOfCase',
        summary: 'Lists the notes on the case that you can read, newest first.',
        tags,
        params: IdParams,
        querystring: NoteQuery,
        response: { 200: NotePage },
      },
    },
    (request, reply) => readPage(request, reply, tx => notes.listOf(tx, request.params.id, request.query)),
  )
  app.get(
    '/v1/notes',
    {
      config: { permission: 'cases:read', audit: ofCases },
      schema: {
        operationId: 'listNotes',
        summary:
          'Lists the notes of your organisation, newest first, including those on cases that are no longer open to it.',
        tags,
        querystring: NoteQuery,
        response: { 200: NotePage },
      },
    },
    (request, reply) => readPage(request, reply, tx => notes.listOwn(tx, request.query)),
  )
  app.get(
    '/v1/notes/:id',
    {
      config: { permission: 'cases:read', audit: ofCase },
      schema: {
        operationId: 'getNote',
        summary: 'Returns one note. Notes of your organisation stay readable when the case is no longer open to it.',
        tags,
        params: IdParams,
        response: { 200: Note },
      },
    },
    (request, reply) => readOne(request, reply, tx => notes.find(tx, request.params.id)),
  )
  app.put(
    '/v1/notes/:id',
    {
      config: { permission: 'notes:write', audit: ofCase, conditional: true, problems: ['note-struck', 'file-erased'] },
      schema: {
        operationId: 'rewriteNote',
        summary: 'Replaces the text of a note. Earlier versions stay on record.',
        tags,
        params: IdParams,
        body: NoteText,
        response: { 200: Note },
      },
    },
    (request, reply) =>
      changeOne(request, reply, (tx, version) => notes.rewrite(tx, request.params.id, version, request.body.text)),
  )
  app.get(
    '/v1/notes/:id/versions',
    {
      config: { permission: 'cases:read', audit: ofCase },
      schema: {
        operationId: 'listNoteVersions',
        summary:
          "Lists the versions of a note, newest first: all of your organisation's notes, only the current one of others.",
        tags,
        params: IdParams,
        response: { 200: NoteVersions },
      },
    },
    request => request.transact(tx => notes.versions(tx, request.params.id)),
  )
  app.post(
    '/v1/notes/:id/strike',
    {
      config: { permission: 'notes:write', audit: ofCase, conditional: true, problems: ['note-struck', 'file-erased'] },
      schema: {
        operationId: 'strikeNote',
        summary: 'Strikes a note of your organisation. Others can no longer read it, and it can no longer be changed.',
        tags,
        params: IdParams,
        body: Strike,
        response: { 200: Note },
      },
    },
    (request, reply) =>
      changeOne(request, reply, (tx, version) => notes.strike(tx, request.params.id, version, request.body.reason)),
  )
}
