/** What the API document says before its operations. */
export const apiDocument = {
  openapi: '3.1.0',
  info: {
    title: 'Qujat',
    version: '0.1.0',
    summary: 'Case management for undocumented persons, from registration until the person holds a document.',
    description: [
      'NGOs, migration authorities and IOM work on the same individual cases. Nobody sees what the person did not agree',
      'to share: what is not open to you is answered like what never was (404).',
      '',
      'Sign in with `POST /v1/sessions` and send the access token as `Authorization: Bearer …`. Errors are problem',
      'details (RFC 9457) with a pointer to each fault. Single resources carry an `ETag`; changing them needs `If-Match`.',
      'A POST with an `Idempotency-Key` may be repeated without harm.',
    ].join('\n'),
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: '/' }],
  tags: [
    { name: 'Signing in', description: 'Sessions, enrolment, your own password.' },
    { name: 'Organisations', description: 'The directory of organisations.' },
    { name: 'Accounts', description: 'The people of an organisation, kept by its supervisors.' },
    { name: 'Reference data', description: 'Regions, code lists and terms, each with its source.' },
    { name: 'Campaigns', description: 'Identification campaigns.' },
    { name: 'Cases', description: 'Individual cases, from registration to document.' },
    { name: 'Person', description: 'What is known about the person, in four zones, and their family.' },
    { name: 'Procedure', description: 'Steps of the lifecycle, by one person or by two; decisions and documents.' },
    { name: 'Work', description: 'Notes on a case, what is to be done, and what is to be kept in mind.' },
    { name: 'Consent', description: 'What the person agreed to share: grants, receipts, revocations.' },
    { name: 'Referrals', description: 'How a case goes to another organisation, and comes back.' },
    {
      name: 'Erasure',
      description: 'The end of what an organisation holds of a case, and of what is due by the rules.',
    },
    { name: 'Imports', description: 'Registrations of a campaign from a file, and how far the job is.' },
    { name: 'Reports', description: 'Figures with the day they stand for and the instant they were known at.' },
    { name: 'Service', description: 'For whoever runs the service.' },
  ],
}
