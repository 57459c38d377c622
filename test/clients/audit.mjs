// Runs the public graphql-http audits. A MUST or SHOULD that is not kept fails; so does a MAY that is not waived.
import { serverAudits } from 'graphql-http';

const url = process.argv[2];
// Like any client of a server with CSRF prevention, the suite says that it is no form of another site.
const fetchFn = (input, init = {}) => fetch(input, { ...init, headers: { ...init.headers, 'x-fraiseql-preflight': 'audit' } });
// Since the specification's watershed (2025-01-01) a client that states no preference gets the newer media type,
// whose status tells failures apart; these two audits still ask for the older one.
const waived = new Set(['47DE', '80D8']);

let failed = 0;
const counts = {};
for (const audit of serverAudits({ url, fetchFn })) {
  const result = await audit.fn();
  counts[result.status] = (counts[result.status] ?? 0) + 1;
  if (result.status === 'ok' || waived.has(audit.id)) continue;
  failed++;
  console.error(`${result.status}: ${audit.id} ${audit.name}: ${result.reason}`);
}
console.log('graphql-http audits:', JSON.stringify(counts));
process.exit(failed ? 1 : 0);
